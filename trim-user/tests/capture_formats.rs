//! Every variant of the formats is read as its specification says.

mod capture;

use capture::builder::Builder;
use capture::{Packet, collect_bytes};
use trim_user::data::capture::file::{Fault, MAX_PACKET, ReadError};
use trim_user::data::{InterfaceStatistics, TimeResolution};
use trim_user::packet::LinkType;

fn packet(interface: u32, time_ns: u64, original_length: u32, data: &[u8]) -> Packet {
    Packet {
        interface,
        time_ns,
        original_length,
        data: data.to_vec(),
    }
}

#[track_caller]
fn fault(bytes: &[u8]) -> (Fault, u64, u64) {
    match collect_bytes(bytes).error {
        Some(ReadError::Damaged { place, fault }) => (fault, place.packet, place.offset),
        other => panic!("expected damage, got {other:?}"),
    }
}

#[test]
fn pcap_is_read_in_both_byte_orders_with_micro_and_nanoseconds() {
    for big in [false, true] {
        for (magic, fraction_ns, resolution) in [(0xa1b2_c3d4, 1000, 6), (0xa1b2_3c4d, 1, 9)] {
            let file = Builder::new(big)
                .pcap(magic, 4, 1)
                .record((1_700_000_000, 123_456), (3, 1500), &[], b"abc")
                .record((4_294_967_295, 999_999), (0, 0), &[], b"");
            let read = collect_bytes(&file.bytes);
            assert!(read.error.is_none(), "{:?}", read.error);
            let first = 1_700_000_000_000_000_000 + 123_456 * fraction_ns;
            let last = 4_294_967_295_000_000_000 + 999_999 * fraction_ns;
            assert_eq!(read.packets, [packet(0, first, 1500, b"abc"), packet(0, last, 0, b"")]);
            let [interface] = &read.interfaces[..] else {
                panic!("{:?}", read.interfaces)
            };
            assert_eq!((interface.link_type, interface.snaplen), (LinkType::ETHERNET, 65535));
            assert_eq!(interface.resolution, TimeResolution(resolution));
            assert_eq!(interface.fcs_length, None);
        }
    }
}

#[test]
fn kuznetzov_pcap_has_longer_record_headers() {
    for big in [false, true] {
        let file = Builder::new(big)
            .pcap(0xa1b2_cd34, 4, 113)
            .record((5, 6), (3, 9), &[1, 2, 3, 4, 5, 6, 7, 8], b"abc")
            .record((7, 8), (2, 2), &[0; 8], b"de");
        let read = collect_bytes(&file.bytes);
        assert!(read.error.is_none(), "{:?}", read.error);
        assert_eq!(
            read.packets,
            [packet(0, 5_000_006_000, 9, b"abc"), packet(0, 7_000_008_000, 2, b"de")]
        );
        assert_eq!(read.interfaces[0].link_type, LinkType(113));
    }
}

#[test]
fn old_pcap_has_its_lengths_swapped_and_the_fcs_length_is_read() {
    let old = Builder::new(false)
        .pcap(0xa1b2_c3d4, 2, 0x4400_0001)
        .record((1, 0), (60, 4), &[], b"abcd");
    let read = collect_bytes(&old.bytes);
    assert_eq!(read.packets, [packet(0, 1_000_000_000, 60, b"abcd")]);
    assert_eq!(read.interfaces[0].fcs_length, Some(8));
    assert_eq!(read.interfaces[0].link_type, LinkType::ETHERNET);
}

#[test]
fn sections_of_different_byte_orders_number_their_interfaces_on() {
    let mut file = Builder::new(false).section(false);
    let options = [file.option(2, b"eth0"), file.option(3, b"uplink"), file.option(9, &[9])];
    file = file.interface(1, 0, &options).interface(101, 96, &[]);
    file = file.packet(1, 7, 5, b"hello").packet(0, 8, 5, b"hello").section(true);
    let options = [
        file.option(2, b"wlan0"),
        file.option(11, b"\0tcp port 80"),
        file.option(6, &[1, 2, 3, 4, 5, 6]),
    ];
    file = file
        .interface(105, 128, &options)
        .packet(0, 9, 70_000, b"world")
        .statistics(0, 10, 11, 12);
    let read = collect_bytes(&file.bytes);
    assert!(read.error.is_none(), "{:?}", read.error);
    let expected = [
        packet(1, 7000, 5, b"hello"),
        packet(0, 8, 5, b"hello"),
        packet(2, 9000, 70_000, b"world"),
    ];
    assert_eq!(read.packets, expected);
    let names: Vec<_> = read
        .interfaces
        .iter()
        .map(|interface| interface.name.as_deref())
        .collect();
    assert_eq!(names, [Some("eth0"), None, Some("wlan0")]);
    assert_eq!(read.interfaces[0].description.as_deref(), Some("uplink"));
    assert_eq!(read.interfaces[1].snaplen, 96);
    assert_eq!(read.interfaces[2].filter.as_deref(), Some("tcp port 80"));
    assert_eq!(read.interfaces[2].other[0].code, 6);
    assert_eq!(&*read.interfaces[2].other[0].value, [1, 2, 3, 4, 5, 6]);
    let counts = InterfaceStatistics {
        time_ns: 10_000,
        received: Some(11),
        dropped: Some(12),
        ..Default::default()
    };
    assert_eq!(read.statistics, [(2, counts)]);
}

#[test]
fn obsolete_and_simple_packets_are_read() {
    for big in [false, true] {
        let file = Builder::new(big)
            .section(big)
            .interface(1, 5, &[])
            .obsolete_packet(0, 3, 9, b"abcde")
            .simple_packet(3, b"abc")
            .simple_packet(1500, b"abcde");
        let read = collect_bytes(&file.bytes);
        assert!(read.error.is_none(), "{:?}", read.error);
        let expected = [
            packet(0, 3000, 9, b"abcde"),
            packet(0, 0, 3, b"abc"),
            packet(0, 0, 1500, b"abcde"),
        ];
        assert_eq!(read.packets, expected);
    }
}

#[test]
fn the_time_resolution_and_offset_of_an_interface_are_applied() {
    let mut file = Builder::new(true).section(true);
    let options = [file.option(9, &[3]), file.option_u64(14, 1_000)];
    file = file.interface(1, 0, &options);
    let options = [file.option(9, &[0x80 | 10])];
    file = file.interface(1, 0, &options);
    let options = [file.option_u64(14, (-5_i64) as u64)];
    file = file.interface(1, 0, &options);
    file = file
        .packet(0, 1_500, 1, b"a")
        .packet(1, 1536, 1, b"b")
        .packet(2, 6_000_001, 1, b"c")
        .packet(2, 1, 1, b"d");
    let read = collect_bytes(&file.bytes);
    assert!(read.error.is_none(), "{:?}", read.error);
    let times: Vec<_> = read.packets.iter().map(|packet| packet.time_ns).collect();
    assert_eq!(times, [1_001_500_000_000, 1_500_000_000, 1_000_001_000, 0]);
    assert_eq!(read.notices.times_clamped, 1, "a time before 1970 is moved and counted");
}

#[test]
fn secrets_and_unknown_blocks_are_passed_over_and_counted() {
    let file = Builder::new(false)
        .section(false)
        .block(10, b"\x4b\x53\x4c\x54\x04\0\0\0keys")
        .block(4, &[0; 8])
        .block(0x8000_0001, &[0xff; 400_000])
        .interface(1, 0, &[])
        .packet(0, 1, 1, b"a");
    let read = collect_bytes(&file.bytes);
    assert!(read.error.is_none(), "{:?}", read.error);
    assert_eq!(read.packets.len(), 1);
    assert_eq!((read.notices.secrets_blocks, read.notices.other_blocks), (1, 2));
}

#[test]
fn impossible_lengths_are_damage_with_packet_and_place() {
    let pcap = Builder::new(false)
        .pcap(0xa1b2_c3d4, 4, 1)
        .record((1, 0), (1, 1), &[], b"a");
    let too_long = pcap.record((2, 0), (MAX_PACKET + 1, MAX_PACKET + 1), &[], b"");
    assert_eq!(fault(&too_long.bytes), (Fault::PacketTooLong(MAX_PACKET + 1), 2, 41));

    let start = || {
        Builder::new(false)
            .section(false)
            .interface(1, 0, &[])
            .packet(0, 1, 1, b"a")
    };
    let offset = start().bytes.len() as u64;
    let mut file = start();
    file.bytes.extend([6, 0, 0, 0, 0xf0, 0xff, 0xff, 0x7f, 0, 0, 0, 0]);
    let length = Fault::BlockLength {
        kind: 6,
        length: 0x7fff_fff0,
        least: 32,
    };
    assert_eq!(fault(&file.bytes), (length, 2, offset));

    let mut file = start().packet(0, 2, 1, b"b");
    let end = file.bytes.len();
    file.bytes[end - 4] ^= 4;
    assert!(matches!(fault(&file.bytes), (Fault::BlockEnds { kind: 6, .. }, 2, at) if at == offset));

    let mut file = start().packet(0, 2, 1, b"b");
    file.bytes[offset as usize + 20] = 200;
    assert!(matches!(
        fault(&file.bytes),
        (Fault::PacketBeyondBlock { captured: 200, .. }, 2, _)
    ));

    let file = start().packet(1, 2, 1, b"b");
    assert_eq!(
        fault(&file.bytes),
        (Fault::UnknownInterface { interface: 1, known: 1 }, 2, offset)
    );

    let file = start().section(true).packet(0, 2, 1, b"b");
    assert!(matches!(
        fault(&file.bytes),
        (Fault::UnknownInterface { interface: 0, known: 0 }, 2, _)
    ));
}

#[test]
fn what_is_not_a_capture_is_refused_with_its_first_bytes() {
    assert!(matches!(collect_bytes(b"").error, Some(ReadError::Empty { .. })));
    for start in [&b"HTTP/1.1 200 OK"[..], b"\xa1", b"\0\0\0\0"] {
        let error = collect_bytes(start).error.unwrap();
        assert!(
            matches!(&error, ReadError::NotACapture { start: seen, .. } if start.starts_with(seen)),
            "{error}"
        );
    }
    let future = Builder::new(false).pcap(0xa1b2_c3d4, 4, 70_000);
    assert_eq!(fault(&future.bytes).0, Fault::LinkType(70_000));
}

#[test]
fn too_many_interfaces_are_refused_instead_of_filling_the_memory() {
    let mut file = Builder::new(false).section(false);
    for _ in 0..70_000 {
        file = file.interface(1, 0, &[]);
    }
    assert_eq!(fault(&file.bytes).0, Fault::TooManyInterfaces);
    let mut file = Builder::new(false).section(false);
    let long = vec![file.option(2, &[b'x'; 60_000]); 4];
    for _ in 0..100 {
        file = file.interface(1, 0, &long);
    }
    assert_eq!(fault(&file.bytes).0, Fault::TooManyInterfaces);
}
