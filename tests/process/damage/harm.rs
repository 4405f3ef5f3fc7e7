//! What becomes of files.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Some bytes are others.
    Flipped,
    /// A block is zeros.
    Zeroed,
    /// Nothing is left of it.
    Emptied,
    /// The end is missing.
    CutShort,
    Deleted,
    /// All of it is noise, in the same file.
    Noise,
    /// Another program's content, in the same file.
    Foreign,
    /// Another file, with another program's content, in its place.
    Exchanged,
    /// Something stands behind its end.
    Longer,
    /// It has the content of another of the files.
    Mistaken,
}

const KINDS: [Kind; 10] = [
    Kind::Flipped,
    Kind::Zeroed,
    Kind::Emptied,
    Kind::CutShort,
    Kind::Deleted,
    Kind::Noise,
    Kind::Foreign,
    Kind::Exchanged,
    Kind::Longer,
    Kind::Mistaken,
];

/// Something that is done to one file.
#[derive(Debug)]
pub(super) struct Harm {
    kind: Kind,
    path: PathBuf,
    other: PathBuf,
    seed: u64,
}

impl Harm {
    /// To one of the files of a folder.
    pub(super) fn random(random: &mut fastrand::Rng, directory: &Path) -> Self {
        let mut files: Vec<_> =
            fs::read_dir(directory).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        let heavy = files.iter().filter(|it| is(it, ".db") || it.ends_with("versions")).cloned();
        // These more often than the rest.
        let heavy: Vec<_> = heavy.collect();
        files.extend(heavy.iter().chain(&heavy).cloned().collect::<Vec<_>>());
        let mut any = || files[random.usize(..files.len())].clone();
        let (path, other) = (any(), any());
        Self { kind: KINDS[random.usize(..KINDS.len())], path, other, seed: random.u64(..) }
    }

    /// Whether it can't go unnoticed by who opens the files afterwards. To be asked before.
    pub(super) fn must_be_said(&self) -> bool {
        let is_gone = matches!(self.kind, Kind::Noise | Kind::Foreign | Kind::Exchanged);
        // What is in the store's log as a whole is taken from there.
        let beside = self.path.with_extension("db-wal");
        let is_alone = is(&self.path, ".db") && !beside.exists();
        is_gone && (is_alone || self.path.ends_with("versions"))
    }

    pub(super) fn be_done(&self) {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let file = OpenOptions::new().read(true).write(true).open(&self.path);
        // What is used may have been removed by its users meanwhile.
        let Ok(file) = file else { return };
        let length = file.metadata().unwrap().len();
        match self.kind {
            Kind::Flipped => (0..random.u32(1..30)).for_each(|_| flip(&file, length, &mut random)),
            Kind::Zeroed => {
                let block = [64, 512, 4_096, 16_384][random.usize(..4)];
                let end = near(length, &mut random);
                let at = random.u64(..=end / block) * block;
                let zeros = vec![0; block.min(length.saturating_sub(at)) as usize];
                file.write_all_at(&zeros, at).unwrap();
            }
            Kind::Emptied => file.set_len(0).unwrap(),
            Kind::CutShort => {
                let end = near(length, &mut random);
                file.set_len(random.u64(..=end)).unwrap();
            }
            Kind::Deleted => drop(fs::remove_file(&self.path)),
            Kind::Noise => {
                let mut noise = vec![0; length as usize];
                random.fill(&mut noise);
                file.write_all_at(&noise, 0).unwrap();
            }
            Kind::Foreign => fs::write(&self.path, FOREIGN.repeat(300)).unwrap(),
            Kind::Exchanged => {
                let beside = self.path.with_extension("foreign");
                fs::write(&beside, FOREIGN.repeat(random.usize(1..5_000))).unwrap();
                fs::rename(&beside, &self.path).unwrap();
            }
            Kind::Longer => file.write_all_at(&[0xa5; 5_000], length).unwrap(),
            Kind::Mistaken => {
                if let Ok(content) = fs::read(&self.other) {
                    fs::write(&self.path, content).unwrap();
                }
            }
        }
    }
}

const FOREIGN: &[u8] = b"What another program wrote, which knows nothing of this one. ";

fn is(path: &Path, end: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_str().is_some_and(|name| name.ends_with(end)))
}

/// Half of the time near the beginning, where most of what matters stands.
fn near(length: u64, random: &mut fastrand::Rng) -> u64 {
    if random.bool() { length } else { length.min(12_288) }
}

fn flip(file: &File, length: u64, random: &mut fastrand::Rng) {
    if length == 0 {
        return;
    }
    let end = near(length, random);
    let at = random.u64(..end);
    let mut byte = [0];
    if file.read_at(&mut byte, at).unwrap() == 1 {
        file.write_all_at(&[byte[0] ^ random.u8(1..)], at).unwrap();
    }
}
