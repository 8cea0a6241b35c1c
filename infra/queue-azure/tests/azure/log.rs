//! What is logged.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

thread_local! {
    /// A test's runtime has one thread, so this is what its own tasks have logged.
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Here;

impl io::Write for Here {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.with_borrow_mut(|written| written.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on lines are kept.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Here).finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else keeps them");
    });
}

/// The lines of this test that hold this.
pub(crate) fn lines(what: &str) -> Vec<String> {
    let written = WRITTEN.with_borrow(|written| String::from_utf8_lossy(written).into_owned());
    written.lines().filter(|line| line.contains(what)).map(str::to_owned).collect()
}
