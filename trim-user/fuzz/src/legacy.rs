//! The exact trimmer on any traffic.

use trim_user::trimmer::Legacy;

use super::judging::judge;
use super::traffic::Traffic;

/// Target: the bytes are traffic.
pub fn run(data: &[u8]) {
    let traffic = Traffic::decode(data);
    judge(&mut Legacy::new(&traffic.settings), &traffic);
}
