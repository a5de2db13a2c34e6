//! A descriptor that is readable while reports wait, for event loops. Only on Unix; elsewhere there is
//! none and applications poll with a timeout.

#[cfg(unix)]
mod imp {
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    /// A connected pair: one byte in it means "reports wait".
    #[derive(Debug)]
    pub struct WakeFd {
        reader: UnixStream,
        writer: UnixStream,
    }

    impl WakeFd {
        pub fn new() -> std::io::Result<WakeFd> {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            Ok(WakeFd { reader, writer })
        }

        pub fn raw(&self) -> i32 {
            self.reader.as_raw_fd()
        }

        pub fn raise(&self) {
            // A full pipe already says what this byte would say.
            let _ = (&self.writer).write(&[1]);
        }

        pub fn lower(&self) {
            let mut sink = [0u8; 64];
            while matches!((&self.reader).read(&mut sink), Ok(count) if count == sink.len()) {}
        }
    }
}

#[cfg(not(unix))]
mod imp {
    /// There is no descriptor on this system.
    #[derive(Debug)]
    pub struct WakeFd;

    impl WakeFd {
        pub fn new() -> std::io::Result<WakeFd> {
            Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
        }
        pub fn raw(&self) -> i32 {
            -1
        }
        pub fn raise(&self) {}
        pub fn lower(&self) {}
    }
}

pub use imp::WakeFd;
