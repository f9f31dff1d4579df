//! The smallest frames there are, of no HTTP: what it costs to receive, look up and write a packet.

use super::Traffic;
use super::conversation::{Conversation, End};
use super::frame::{ACK, PSH};

/// 6 bytes of payload make 60, and 64 with the checksum of Ethernet.
const PAYLOAD: [u8; 6] = [0, 1, 2, 0xfd, 0xfe, 0xff];

/// On so many connections.
pub(crate) fn tiny(flows: u32) -> Traffic {
    let mut conversation = Conversation::new(0);
    conversation.may_begin();
    conversation.segment(End::Client, PSH | ACK, PAYLOAD.to_vec(), 0);
    conversation.without_end();
    conversation.kept_whole(flows)
}

#[cfg(test)]
mod tests {
    use super::super::trimmed::assert_trimmed;
    use super::*;

    #[test]
    fn tiny_frames_are_kept_whole() {
        let traffic = tiny(3);
        assert_trimmed(&traffic, 300);
        assert!((traffic.shape(1000).frame_bytes - 60.0).abs() < f64::EPSILON);
    }
}
