use super::child::Folder;
use super::*;
use crate::clock::Moment;
use crate::codec::envelope::Header;
use crate::entry::{About, Marks};
use crate::mark::Mark;

struct Deaf;

impl Listener for Deaf {
    fn hear(&self, _: Heard<'_>) {}

    fn settle(&self) {}
}

fn disk(folder: &Folder) -> Arc<Disk> {
    let place = Place::find(Some(folder.path()), "shop").unwrap();
    Disk::new(place, LIMIT, TimeSource::System, Box::new(Deaf)).unwrap()
}

/// An entry with a tag, as it is on its way.
fn parcel(stamp: MachineStamp, tag: &str) -> Arc<Parcel> {
    let about = About::of_bypassed(Marks::from_slice(&[Mark::tag(tag)]), None, Moment::NEVER);
    let header = Header {
        codec: 1,
        compression: 0,
        shape: [3; 16],
        incarnation: stamp.incarnation.bytes(),
        stamp: stamp.at.0,
        created: 0,
        expires: u64::MAX,
        weight: 1,
        unpacked: 0,
    };
    Arc::new(Parcel {
        id: 7,
        created: 0,
        expires: u64::MAX,
        stamp,
        envelope: envelope(header, &about, b"key", b"").unwrap(),
        about,
        counters: Arc::default(),
        lease: Mutex::new(None),
    })
}

fn read(disk: &Disk) -> Result<(), Miss> {
    disk.read(&Wanted { id: 7, key: b"key", shape: [3; 16] }, &mut |_| ())
}

/// V2: a sweep vouches for what it has seen, which is what is stored.
#[test]
fn what_was_invalidated_on_its_way_is_not_served_after_a_sweep() {
    let folder = Folder::new();
    let disk = disk(&folder);
    let parcel = parcel(disk.stamp().unwrap(), "tag");
    disk.core.pending.add(&parcel);
    assert_eq!(read(&disk), Ok(()));
    disk.record(&Target::Any(vec![Mark::tag("tag")])).unwrap();
    assert_eq!(read(&disk), Err(Miss::Invalidated));
    disk.core.machine.swept(disk.stamp().unwrap());
    disk.core.machine.tidy();
    assert_eq!(read(&disk), Err(Miss::Invalidated));
}
