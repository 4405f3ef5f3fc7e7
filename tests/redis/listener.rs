//! A free port of the loopback interface, and a thread that hands over who connects to it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

/// Nobody is handed over any more once this has been dropped.
pub(crate) struct Listener {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// What it hands a connection to should not keep it waiting.
    pub(crate) fn start(mut connected: impl FnMut(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ended = Arc::new(AtomicBool::new(false));
        let is_ended = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if is_ended.load(SeqCst) {
                    return;
                }
                // Who has gone again already is no one to hand over.
                if let Ok(stream) = stream.and_then(without_delay) {
                    connected(stream);
                }
            }
        });
        Self { port, ended, thread: Some(thread) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ended.store(true, SeqCst);
        // Wakes the thread.
        let _ = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)));
        let _ = self.thread.take().expect("it is dropped once").join();
    }
}

fn without_delay(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}
