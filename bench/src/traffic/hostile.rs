//! What an attacker sends to make a capture slow: header blocks without an end, one byte a segment and in full segments,
//! and packets of which each begins a connection of its own.

use super::Traffic;
use super::conversation::{Conversation, End, SEGMENT, filling};
use super::frame::{ACK, PSH};

/// So many connections: half of them byte by byte, a quarter in full segments, and a quarter that are new with each packet.
pub(crate) fn hostile(flows: u32) -> Traffic {
    let mut conversation = Conversation::new(0);
    for kind in [endless_bytes, endless_segments, endless_bytes, new_each_time] {
        conversation.may_begin();
        kind(&mut conversation);
    }
    conversation.kept_whole(flows)
}

const BEGINNING: &[u8] = b"GET / HTTP/1.1\r\nHost: victim.example\r\nX-Endless: ";

fn endless_bytes(conversation: &mut Conversation) {
    conversation.segment(End::Client, PSH | ACK, BEGINNING.to_vec(), 0);
    conversation.segment(End::Client, PSH | ACK, b"x".to_vec(), 0);
    conversation.without_end();
}

fn endless_segments(conversation: &mut Conversation) {
    conversation.segment(End::Client, PSH | ACK, BEGINNING.to_vec(), 0);
    // Without a line's end in it: none of it is a body.
    conversation.segment(End::Client, ACK, Vec::new(), SEGMENT);
    conversation.without_end();
}

fn new_each_time(conversation: &mut Conversation) {
    conversation.segment(End::Client, PSH | ACK, filling(0).take(20).collect(), 0);
    conversation.last().renews = 1;
    conversation.without_end();
}

#[cfg(test)]
mod tests {
    use super::super::trimmed::assert_trimmed;
    use super::*;

    #[test]
    fn all_of_it_is_kept_whole() {
        assert_trimmed(&hostile(8), 2000);
    }

    #[test]
    fn bodies_are_none_of_it() {
        assert_eq!(hostile(8).shape(2000).body_bytes, 0);
    }
}
