//! Room for a value's bytes, with an end.

use super::fault::Fault;
use std::io;

/// Appends up to `most` bytes. Where that is not enough, or writing fails, nothing was appended.
pub(crate) struct Bounded<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    most: usize,
    passed: bool,
}

impl<'a> Bounded<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, most: usize) -> Self {
        let start = out.len();
        Self { out, start, most, passed: false }
    }

    /// What writing came to.
    pub(crate) fn finish(self, done: Result<(), Fault>) -> Result<(), Fault> {
        if done.is_err() {
            self.out.truncate(self.start);
        }
        if self.passed { Err(Fault::TooLong) } else { done }
    }
}

impl io::Write for Bounded<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > self.most - (self.out.len() - self.start) {
            self.passed = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounded, Fault};
    use std::io::Write;

    #[test]
    fn the_limit_is_of_what_is_appended() {
        let mut out = vec![7, 8, 9];
        let mut bounded = Bounded::new(&mut out, 2);
        bounded.write_all(&[1]).unwrap();
        assert_eq!(bounded.write(&[2]).unwrap(), 1);
        assert_eq!(bounded.finish(Ok(())), Ok(()));
        assert_eq!(out, [7, 8, 9, 1, 2]);
    }

    #[test]
    fn beyond_the_limit_nothing_was_appended() {
        let mut out = vec![7, 8, 9];
        let mut bounded = Bounded::new(&mut out, 2);
        bounded.write_all(&[1]).unwrap();
        assert!(bounded.write_all(&[2, 3]).is_err());
        let refused = Fault::Unencodable("the writer's".to_owned());
        assert_eq!(bounded.finish(Err(refused)), Err(Fault::TooLong));
        assert_eq!(out, [7, 8, 9]);
    }
}
