use super::{Damage, Envelope, Group, Groups, Head, Header, Section, parse_head, sealed, try_any};
use std::fs;
use std::path::{Path, PathBuf};

const HEADER: Header = Header {
    codec: 1,
    compression: 2,
    shape: *b"shape of a value",
    incarnation: *b"of which machine",
    stamp: 3,
    created: 1_700_000_000_000_000_000,
    expires: u64::MAX,
    weight: 4,
    unpacked: 5,
};

type Named = (Vec<[u64; 2]>, Option<&'static str>);

fn groups(
    names: &[Named],
) -> impl Iterator<Item = Group<'static, std::vec::IntoIter<[u64; 2]>>> + Clone {
    names
        .iter()
        .map(|(marks, readable)| Group { marks: marks.clone().into_iter(), readable: *readable })
}

fn written(names: &[Named], files: &[u8], key: &[u8], payload: &[u8]) -> Vec<u8> {
    let names = groups(names);
    Envelope { header: HEADER, names, files, key, payload, versions: &[] }.write().unwrap()
}

fn full() -> Vec<u8> {
    let names = [
        (vec![[1, 2], [3, u64::MAX]], Some("user:ü")),
        (vec![], None),
        (vec![[5, 6]], Some("")),
        (vec![[7, 8]], None),
    ];
    let envelope = Envelope {
        header: HEADER,
        names: groups(&names),
        files: b"files",
        key: b"the key",
        payload: b"the payload",
        versions: b"versions",
    };
    envelope.write().unwrap()
}

/// Of the version that is written, and what was in it.
fn golden() -> [(&'static str, Vec<u8>); 2] {
    [("v2_empty.bin", written(&[], &[], &[], &[])), ("v2_full.bin", full())]
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn corpus() -> PathBuf {
    project().join("../fuzz/corpus/envelope")
}

#[test]
fn what_is_written_is_what_is_parsed() {
    let bytes = full();
    let envelope = Envelope::parse(&bytes).unwrap();
    assert_eq!(envelope.header, HEADER);
    let names: Vec<_> =
        envelope.names.map(|group| (group.marks.collect::<Vec<_>>(), group.readable)).collect();
    assert_eq!(names[0], (vec![[1, 2], [3, u64::MAX]], Some("user:ü")));
    assert_eq!(names[1..3], [(vec![], None), (vec![[5, 6]], Some(""))]);
    assert_eq!(names[3..], [(vec![[7, 8]], None)]);
    assert_eq!(envelope.files, b"files");
    assert_eq!(envelope.key, b"the key");
    assert_eq!(envelope.payload, b"the payload");
    assert_eq!(envelope.versions, b"versions");
}

#[test]
fn the_bytes_of_a_version_stay_what_they_are() {
    for (name, written) in golden() {
        let path = project().join("src/codec/golden").join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &written).unwrap();
            fs::write(corpus().join(name), &written).unwrap();
        }
        assert_eq!(fs::read(path).unwrap(), written, "{name}");
        assert!(Envelope::parse(&written).is_ok());
    }
}

#[test]
fn what_an_earlier_version_wrote_is_told_apart() {
    for name in ["v1_empty.bin", "v1_full.bin"] {
        let bytes = fs::read(project().join("src/codec/golden").join(name)).unwrap();
        assert_eq!(Envelope::parse(&bytes).unwrap_err(), Damage::Version(1), "{name}");
    }
}

#[test]
fn c6_a_changed_byte_never_parses() {
    let bytes = full();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(Envelope::parse(&changed).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn c6_parts_of_equal_length_never_change_places() {
    let one = written(&[], b"1234", b"5678", b"9");
    let mut other = one.clone();
    other[Header::LENGTH..Header::LENGTH + 8].rotate_left(4);
    assert_eq!(Envelope::parse(&other).unwrap_err(), Damage::Checksum);
}

#[test]
fn damage_is_told_by_what_it_is() {
    let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = full();
        change(&mut bytes);
        Envelope::parse(&sealed(&bytes)).unwrap_err()
    };
    let put = |at: usize, number: u32| {
        move |bytes: &mut Vec<u8>| bytes[at..at + 4].copy_from_slice(&number.to_le_bytes())
    };
    assert_eq!(damaged(&|bytes| bytes.clear()), Damage::Headless);
    assert_eq!(damaged(&|bytes| bytes.truncate(Header::LENGTH - 1)), Damage::Headless);
    assert_eq!(damaged(&|bytes| bytes[0] = b'l'), Damage::Foreign);
    assert_eq!(damaged(&|bytes| bytes[4] = 3), Damage::Version(3));
    assert_eq!(damaged(&|bytes| bytes[5] = 1), Damage::Version(258));
    assert_eq!(damaged(&|bytes| bytes.push(0)), Damage::Length);
    assert_eq!(damaged(&|bytes| bytes.truncate(bytes.len() - 1)), Damage::Length);
    assert_eq!(damaged(&put(72, (4 << 20) + 1)), Damage::TooLong(Section::Names));
    assert_eq!(damaged(&put(76, (16 << 20) + 1)), Damage::TooLong(Section::Files));
    assert_eq!(damaged(&put(80, (16 << 20) + 1)), Damage::TooLong(Section::Key));
    assert_eq!(damaged(&put(84, 1 << 30)), Damage::TooLong(Section::Payload));
    assert_eq!(damaged(&put(84, (1 << 30) - 1)), Damage::Oversized);
    assert_eq!(damaged(&put(88, (4 << 20) + 1)), Damage::TooLong(Section::Versions));
    assert_eq!(damaged(&put(92, 1 << 30)), Damage::TooLong(Section::Payload));
    let mut bytes = full();
    bytes[Header::LENGTH - 1] ^= 1;
    assert_eq!(Envelope::parse(&bytes).unwrap_err(), Damage::Checksum);
}

#[test]
fn malformed_names_are_damage_whatever_the_checksum_says() {
    let names = |names: &[u8]| {
        let mut bytes = written(&[], &[], &[], names);
        // What was the payload becomes the names.
        let length = u32::try_from(names.len()).unwrap().to_le_bytes();
        bytes[72..76].copy_from_slice(&length);
        bytes[84..88].fill(0);
        Envelope::parse(&sealed(&bytes)).map(|envelope| envelope.names.count())
    };
    assert_eq!(names(&[0, 0, 0, 0, 0]), Ok(1));
    assert_eq!(names(&[0, 0, 0, 0, 1, 1, 0, 0, 0, b'a', 0, 0, 0, 0, 0]), Ok(2));
    let malformed: [&[u8]; 8] = [
        &[0],
        &[0, 0, 0, 0],
        &[1, 0, 0, 0, 0],
        &[255, 255, 255, 255, 0],
        &[0, 0, 0, 0, 2],
        &[0, 0, 0, 0, 1, 1, 0, 0, 0],
        &[0, 0, 0, 0, 1, 255, 255, 255, 255, b'a'],
        &[0, 0, 0, 0, 1, 1, 0, 0, 0, 0xff],
    ];
    for bytes in malformed {
        assert_eq!(names(bytes), Err(Damage::Names), "{bytes:?}");
    }
}

#[test]
fn content_that_is_too_long_is_not_written() {
    let long = vec![0; (16 << 20) + 1];
    let names = || std::iter::empty::<Group<'_, std::array::IntoIter<_, 0>>>();
    let envelope = Envelope {
        header: HEADER,
        names: names(),
        files: &[],
        key: &[],
        payload: &[],
        versions: &[],
    };
    let files = Envelope { files: &long, ..envelope.clone() };
    assert_eq!(files.write(), Err(Damage::TooLong(Section::Files)));
    let key = Envelope { key: &long, ..envelope.clone() };
    assert_eq!(key.write(), Err(Damage::TooLong(Section::Key)));
    let header = Header { unpacked: 1 << 30, ..HEADER };
    let unpacked = Envelope { header, ..envelope };
    assert_eq!(unpacked.write(), Err(Damage::TooLong(Section::Payload)));
    let text = "a".repeat(4 << 20);
    let names = [Group { marks: [].into_iter(), readable: Some(&*text) }];
    let names =
        Envelope { header: HEADER, names, files: &[], key: &[], payload: &[], versions: &[] };
    assert_eq!(names.write(), Err(Damage::TooLong(Section::Names)));
}

#[test]
fn a_prefix_gives_the_header_and_says_how_long_the_names_are() {
    let bytes = full();
    let end = bytes.len() - b"filesthe keythe payloadversions".len();
    assert_eq!(parse_head(&bytes[..Header::LENGTH - 1]).unwrap_err(), Damage::Headless);
    for length in Header::LENGTH..=bytes.len() {
        let (header, head) = parse_head(&bytes[..length]).unwrap();
        assert_eq!(header, HEADER);
        match head {
            Head::Whole(names) => {
                assert!(length >= end);
                assert_eq!(names.count(), 4);
            }
            Head::Longer(needed) => {
                assert!(length < end);
                assert_eq!(needed, end);
            }
        }
    }
    let mut malformed = bytes.clone();
    malformed[Header::LENGTH..Header::LENGTH + 4].fill(0xff);
    assert_eq!(parse_head(&malformed).unwrap_err(), Damage::Names);
    assert_eq!(Groups::EMPTY.count(), 0);
}

#[test]
fn writing_allocates_once_and_parsing_not_at_all() {
    let names = [Group { marks: [[1, 2], [3, 4]].into_iter(), readable: Some("user:7") }];
    let envelope =
        Envelope { header: HEADER, names, files: b"f", key: b"k", payload: b"p", versions: b"v" };
    let mut bytes = Vec::new();
    let info = allocation_counter::measure(|| bytes = envelope.write().unwrap());
    assert_eq!(info.count_total, 1);
    assert_eq!(info.bytes_total, bytes.len() as u64);
    let info = allocation_counter::measure(|| {
        let envelope = Envelope::parse(&bytes).unwrap();
        assert_eq!(envelope.names.map(|group| group.marks.len()).sum::<usize>(), 2);
        parse_head(&bytes).unwrap();
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn c6_no_bytes_make_parsing_panic_or_allocate() {
    let mut seeds: Vec<Vec<u8>> = fs::read_dir(corpus())
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(seeds.len() >= 8, "the corpus is there");
    seeds.extend(golden().map(|(_, bytes)| bytes));
    let mut random = fastrand::Rng::with_seed(7);
    let mut parsed = 0;
    for _ in 0..20_000 {
        let changed = mutated(&seeds, &mut random);
        let fitting = sealed(&changed);
        for bytes in [&changed, &fitting] {
            let info =
                allocation_counter::measure(|| drop((Envelope::parse(bytes), parse_head(bytes))));
            assert_eq!(info.bytes_total, 0);
            try_any(bytes);
        }
        assert!(Envelope::parse(&changed).is_err() || seeds.contains(&changed));
        parsed += u32::from(Envelope::parse(&fitting).is_ok());
    }
    assert!(parsed > 100, "mutations reach beyond the checksum: {parsed}");
}

/// One of the seeds after a few flips, cuts and splices.
fn mutated(seeds: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = random.choice(seeds).unwrap().clone();
    for _ in 0..random.u8(1..5) {
        let at = random.usize(..=bytes.len());
        match random.u8(..6) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            2 if at < bytes.len() => bytes[at] = *random.choice(&[0, 1, 0x7f, 0x80, 0xff]).unwrap(),
            3 => bytes.truncate(at),
            4 => {
                let other = random.choice(seeds).unwrap();
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.usize(..=other.len())..]);
            }
            5 => bytes.insert(at, random.u8(..)),
            _ => {}
        }
    }
    bytes
}
