//! The fast trimmer on any traffic.

use trim_user::trimmer::{Scanning, Trimmer};

use super::judging::judge;
use super::traffic::Traffic;

/// Target: the bytes are traffic.
pub fn run(data: &[u8]) {
    let traffic = Traffic::decode(data);
    let mut scanning = Scanning::new(&traffic.settings);
    judge(&mut scanning, &traffic);
    assert_eq!(scanning.statistics().held, 0, "this trimmer never holds");
}
