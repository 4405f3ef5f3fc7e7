use larder::cached;

mod private {
    #[derive(Clone, PartialEq, Eq, Hash, Debug)]
    pub(super) struct Hidden(pub(super) u64);

    #[larder::cached]
    pub(super) fn of_hidden(hidden: Hidden) -> Hidden {
        hidden
    }

    pub mod deeper {
        #[larder::cached]
        pub(in crate::private) fn narrow(id: u64) -> u64 {
            id
        }

        #[larder::cached]
        pub fn wide(id: u64) -> u64 {
            narrow(id)
        }
    }
}

#[cfg(any())]
#[cached]
fn not_here(id: Missing) -> Missing {
    id
}

#[cached]
#[cfg(any())]
fn not_here_either(id: Missing) -> Missing {
    id
}

#[cached]
#[cfg_attr(all(), doc = "Not here.", cfg(any()), must_use)]
fn not_here_as_an_attribute_says(id: Missing) -> Missing {
    id
}

#[cached]
#[cfg_attr(all(), cfg_attr(all(), cfg(any())))]
fn not_here_as_an_attribute_in_another_says(id: Missing) -> Missing {
    id
}

#[cached]
#[cfg_attr(any(), cfg(any()))]
fn here_all_the_same(id: u64) -> u64 {
    id
}

#[cfg(all())]
#[cached]
#[must_use]
#[inline]
fn here(id: u64) -> u64 {
    id
}

#[cached]
#[deprecated = "for a reason"]
fn deprecated(id: u64) -> u64 {
    id
}

/// Documented.
#[cached]
#[track_caller]
#[allow(clippy::too_many_arguments)]
fn documented(id: u64) -> u64 {
    id
}

struct Engine;

impl Engine {
    #[cached(skip(self), handle = gone_entry)]
    #[cfg(any())]
    fn gone(&self, id: Missing) -> Missing {
        id
    }
}

fn outer(id: u64) -> u64 {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Local(u64);

    #[cached(tags("local"))]
    fn inner(local: Local) -> u64 {
        local.0
    }

    let first = inner(Local(id));
    inner::invalidate(Local(id)).expect("l1 alone never fails");
    first + inner(Local(id))
}

#[cached]
fn around(id: u64) -> u64 {
    #[cached]
    fn around(id: u64) -> u64 {
        id + 1
    }

    around(id) + around::refresh(id)
}

const _: () = {
    #[cached]
    #[allow(dead_code)]
    fn in_a_constant(id: u64) -> u64 {
        id
    }
};

fn main() {
    assert_eq!((here_all_the_same(1), here_all_the_same::peek(1)), (1, Some(1)));
    let hidden = private::Hidden(1);
    assert_eq!(private::of_hidden(hidden.clone()), hidden);
    assert!(private::of_hidden::invalidate(hidden).is_ok());
    assert_eq!(private::deeper::wide(1), 1);
    assert_eq!(here(1), 1);
    #[allow(deprecated)]
    let deprecated = deprecated(1);
    assert_eq!(deprecated, 1);
    assert_eq!(documented(1), 1);
    assert_eq!(outer(2), 4);
    assert_eq!(around(1), 4);
    let _ = Engine;
}
