//! From frame to TCP segment: the dissector of every link type, and the views that the XDP program uses.

use trim_common::headers::{self, Content};
use trim_user::packet::{Dissection, LinkType, TcpLayout, dissect, transport_end};

/// Link types by the first byte; Ethernet most often.
const LINKS: [LinkType; 16] = [
    LinkType::ETHERNET,
    LinkType::ETHERNET,
    LinkType::ETHERNET,
    LinkType::ETHERNET,
    LinkType::NULL,
    LinkType::PPP,
    LinkType::RAW,
    LinkType::C_HDLC,
    LinkType::IEEE802_11,
    LinkType::LOOP,
    LinkType::LINUX_SLL,
    LinkType::IEEE802_11_RADIOTAP,
    LinkType::IPV6,
    LinkType::NFLOG,
    LinkType::LINUX_SLL2,
    LinkType(0xfffe),
];

/// Target: the first byte chooses the link type and how much of the frame was captured, the rest is the frame.
pub fn run(data: &[u8]) {
    let Some((&choice, frame)) = data.split_first() else {
        return;
    };
    let link = LINKS[usize::from(choice & 15)];
    let missing = [0, 0, 1, 1000][usize::from(choice >> 4 & 3)];
    let original = frame.len() as u32 + missing;
    let dissection = dissect(link, frame, original);
    if let Dissection::Tcp(layout) = &dissection {
        offsets_lie_in_the_frame(frame, layout);
        fields_are_those_of_the_header(frame, layout);
    }
    assert!(
        transport_end(link, frame, original) <= frame.len(),
        "an end behind the frame"
    );
    the_wire_length_decides_nothing_but_the_end(link, frame, &dissection);
    if link == LinkType::ETHERNET && missing == 0 {
        agrees_with_the_kernel_side(frame, &dissection);
    }
}

fn offsets_lie_in_the_frame(frame: &[u8], layout: &TcpLayout) {
    assert!(
        layout.l3_offset + 20 <= layout.l4_offset,
        "{layout:?}: an IP header has 20 bytes"
    );
    assert!(
        layout.l4_offset + 20 <= layout.payload_offset,
        "{layout:?}: a TCP header has 20 bytes"
    );
    assert!(
        layout.payload_offset <= layout.payload_end,
        "{layout:?}: the payload ends before it begins"
    );
    assert!(
        layout.payload_end as usize <= frame.len(),
        "{layout:?}: the payload ends behind the frame"
    );
    let captured = layout.payload_end - layout.payload_offset;
    assert!(
        captured <= layout.wire_payload,
        "{layout:?}: more was captured than sent"
    );
}

fn fields_are_those_of_the_header(frame: &[u8], layout: &TcpLayout) {
    let header = &frame[layout.l4_offset as usize..layout.payload_offset as usize];
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    assert_eq!(header.len(), usize::from(header[12] >> 4) * 4, "the data offset");
    assert_eq!((layout.sequence, layout.acknowledgment), (word(4), word(8)));
    assert_eq!(layout.flags.0, header[13], "the flags");
    let mut ports = [word(0) >> 16, word(0) & 0xffff].map(|port| port as u16);
    let mut known = [layout.flow.low_port, layout.flow.high_port];
    ports.sort_unstable();
    known.sort_unstable();
    assert_eq!(ports, known, "the ports");
}

/// More bytes on the wire change where a segment without a length of its own ends, and nothing else.
fn the_wire_length_decides_nothing_but_the_end(link: LinkType, frame: &[u8], dissection: &Dissection) {
    let longer = dissect(link, frame, frame.len() as u32 + 5000);
    let (Dissection::Tcp(one), Dissection::Tcp(other)) = (dissection, &longer) else {
        return;
    };
    let same_end = TcpLayout {
        payload_end: one.payload_end,
        wire_payload: one.wire_payload,
        ..*other
    };
    assert_eq!(*one, same_end, "the length on the wire moved a header");
}

/// The kernel follows no tunnels and gives up earlier; where it finds a segment, both must mean the same one.
fn agrees_with_the_kernel_side(frame: &[u8], dissection: &Dissection) {
    let kernel = headers::dissect(frame);
    match (kernel.content, dissection) {
        (Content::Tcp, Dissection::Tcp(layout)) => {
            let tcp = kernel.tcp;
            assert_eq!(
                (tcp.key, tcp.direction),
                (layout.flow, layout.direction),
                "another flow"
            );
            let offsets = [tcp.l3_offset, tcp.l4_offset, tcp.payload_offset].map(u32::from);
            assert_eq!(
                offsets,
                [layout.l3_offset, layout.l4_offset, layout.payload_offset],
                "other offsets"
            );
            assert_eq!(
                (tcp.sequence, tcp.tcp_flags),
                (layout.sequence, layout.flags.0),
                "another segment"
            );
            let captured = layout.payload_end - layout.payload_offset;
            assert_eq!(tcp.payload_length, captured, "another end");
        }
        (Content::Tcp, other) => panic!("the kernel finds a segment, user space {other:?}"),
        (Content::NotIp, Dissection::Tcp(_)) => {
            assert!(
                is_for_user_space(frame),
                "user space finds a segment where the kernel finds no IP"
            );
        }
        (Content::Malformed, Dissection::Tcp(layout)) => {
            assert!(
                contradicts_its_version(frame, layout),
                "a segment in what is malformed to the kernel"
            );
        }
        (Content::NotTcp, Dissection::Tcp(layout)) => panic!("the kernel finds another protocol in {layout:?}"),
        (Content::Fragment, found) => assert_eq!(*found, Dissection::Fragment, "a fragment to the kernel only"),
        _ => {}
    }
}

/// LLC/SNAP, HSR and the oldest number of QinQ come from capture files; the XDP program does not look behind them.
fn is_for_user_space(frame: &[u8]) -> bool {
    let number = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    let mut at = 12;
    while matches!(number(at), Some(0x8100 | 0x88a8 | 0x9100)) {
        at += 4;
    }
    matches!(number(at), Some(0..=1500 | 0x9200 | 0x8926))
}

/// User space goes by the version in the IP header alone, because raw IP captures have nothing else.
fn contradicts_its_version(frame: &[u8], layout: &TcpLayout) -> bool {
    let at = layout.l3_offset as usize;
    let version = frame[at] >> 4;
    let announced = &frame[at - 2..at];
    announced != if version == 4 { [0x08, 0x00] } else { [0x86, 0xdd] }
}
