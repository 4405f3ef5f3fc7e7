use super::*;

/// A root at `/r` with a watch that stands, at generation 2.
fn standing(opaque: &[&str]) -> Root {
    let mut root = Root::new("/r".into());
    root.begin(1);
    root.stand(2, opaque.iter().map(PathBuf::from).collect());
    root
}

fn touched(path: &str) -> Notice {
    Notice::Touched { path: path.into(), anew: false }
}

fn anew(path: &str) -> Notice {
    Notice::Touched { path: path.into(), anew: true }
}

fn vouches(root: &Root, path: &str, generation: u64) -> bool {
    root.vouches(Path::new(path), generation)
}

fn found(root: &mut Root, path: &str, opaque: &[&str]) {
    root.found(Path::new(path), opaque.iter().map(PathBuf::from).collect());
}

#[test]
fn nothing_is_vouched_for_before_the_watch_stands() {
    let mut root = Root::new("/r".into());
    assert!(!vouches(&root, "/r/a", 5));
    root.begin(6);
    assert!(!vouches(&root, "/r/a", 6));
    root.stand(7, Vec::new());
    assert!(vouches(&root, "/r/a", 7));
    assert!(!vouches(&root, "/r/a", 6));
}

#[test]
fn only_what_is_in_the_directory_is_vouched_for() {
    let root = standing(&[]);
    assert!(vouches(&root, "/r", 2));
    assert!(vouches(&root, "/r/a/b", 2));
    assert!(!vouches(&root, "/rr", 2));
    assert!(!vouches(&root, "/", 2));
    assert!(!vouches(&root, "/r/link/../a", 2));
}

#[test]
fn a_touched_path_is_suspect_until_it_is_settled() {
    let mut root = standing(&[]);
    assert!(root.note(3, touched("/r/d/a")));
    assert!(!root.note(4, touched("/r/d/a")));
    assert!(!vouches(&root, "/r/d/a", 4));
    let work = root.take(4);
    assert_eq!(work, Work { upto: 4, lost: false, looks: vec![("/r/d/a".into(), false)] });
    assert!(!vouches(&root, "/r/d/a", 4));
    root.settle(4);
    assert!(vouches(&root, "/r/d/a", 4));
    // For who looked at it before it was touched, it stays touched.
    assert!(!vouches(&root, "/r/d/a", 2));
    assert!(root.note(5, touched("/r/d/a")));
}

#[test]
fn what_is_touched_while_others_are_looked_at_stays_suspect() {
    let mut root = standing(&[]);
    root.note(3, touched("/r/a"));
    let work = root.take(3);
    assert!(root.note(4, touched("/r/a")));
    root.settle(work.upto);
    assert!(!vouches(&root, "/r/a", 9));
}

#[test]
fn a_touch_concerns_what_is_above_and_below_and_nothing_beside() {
    let mut root = standing(&[]);
    root.note(3, anew("/r/d/e"));
    for path in ["/r", "/r/d", "/r/d/e", "/r/d/e/f"] {
        assert!(!vouches(&root, path, 2), "{path}");
    }
    for path in ["/r/a", "/r/d/a", "/r/d/ee"] {
        assert!(vouches(&root, path, 2), "{path}");
    }
}

#[test]
fn what_lies_behind_a_link_is_not_vouched_for() {
    let root = standing(&["/r/d/link"]);
    for path in ["/r", "/r/d", "/r/d/link", "/r/d/link/a"] {
        assert!(!vouches(&root, path, 2), "{path}");
    }
    assert!(vouches(&root, "/r/d/a", 2));
    assert!(vouches(&root, "/r/d/link2", 2));
}

#[test]
fn links_come_and_go_with_what_is_found() {
    let mut root = standing(&["/r/d/x", "/r/d/y/z", "/r/e"]);
    found(&mut root, "/r/d", &["/r/d/new"]);
    assert!(vouches(&root, "/r/d/x", 2) && vouches(&root, "/r/d/y/z", 2));
    assert!(!vouches(&root, "/r/d/new", 2) && !vouches(&root, "/r/e", 2));
    found(&mut root, "/r/e", &[]);
    assert!(vouches(&root, "/r/e", 2));
    found(&mut root, "/r/a", &["/r/a"]);
    assert!(!vouches(&root, "/r/a/b", 2));
}

#[test]
fn a_path_that_appeared_is_looked_at_as_such_however_it_was_touched_after() {
    let mut root = standing(&[]);
    root.note(3, anew("/r/d"));
    root.note(4, touched("/r/d"));
    assert_eq!(root.take(4).looks, [("/r/d".into(), true)]);
}

#[test]
fn what_is_lost_ends_all_trust_until_a_new_watch_stands() {
    for notice in [Notice::Lost, anew("/r"), anew("/")] {
        let mut root = standing(&[]);
        assert!(root.note(3, notice));
        assert!(!vouches(&root, "/r/a", 3));
        assert!(root.take(3).lost);
        root.begin(4);
        assert!(!root.take(4).lost);
        root.stand(5, Vec::new());
        assert!(vouches(&root, "/r/a", 5));
        assert!(!vouches(&root, "/r/a", 3));
    }
}

#[test]
fn a_change_of_the_roots_own_metadata_loses_nothing() {
    let mut root = standing(&[]);
    root.note(3, touched("/r"));
    assert!(!root.take(3).lost);
    root.settle(3);
    assert!(vouches(&root, "/r/a", 3));
    assert!(!vouches(&root, "/r/a", 2));
}

#[test]
fn what_is_lost_while_the_watch_is_set_up_keeps_it_from_standing() {
    let mut root = Root::new("/r".into());
    root.begin(1);
    root.note(2, Notice::Lost);
    root.stand(3, Vec::new());
    assert!(!vouches(&root, "/r/a", 3));
    assert!(root.take(3).lost);
}

#[test]
fn what_happens_while_the_watch_is_set_up_stays_suspect() {
    let mut root = Root::new("/r".into());
    root.begin(1);
    root.note(2, anew("/r/d"));
    root.stand(3, Vec::new());
    assert!(!vouches(&root, "/r/d/a", 3));
    assert!(vouches(&root, "/r/a", 3));
}

#[test]
fn what_can_no_longer_be_remembered_is_looked_at_again() {
    let mut root = standing(&[]);
    let mut generation = 2;
    for it in 0..=MOST_TOUCHED {
        generation += 1;
        root.note(generation, touched(&format!("/r/{it}")));
    }
    let work = root.take(generation);
    root.note(generation + 1, touched("/r/last"));
    assert!(vouches(&root, "/r/a", 2));
    root.settle(work.upto);
    assert!(!vouches(&root, "/r/a", 2));
    assert!(vouches(&root, "/r/a", generation));
    assert!(!vouches(&root, "/r/last", generation));
    assert!(root.touched.len() < 10);
}

#[test]
fn more_than_can_wait_is_everything() {
    let mut root = standing(&[]);
    for it in 0..=MOST_PENDING {
        root.note(3, touched(&format!("/r/{it}")));
    }
    assert!(root.take(3).lost);
}
