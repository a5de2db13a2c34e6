//! gzip (RFC 1952), as deflate's library writes it. Owns the contexts, one for each level in use.

use flate2::{Compress, Compression, FlushCompress, Status};

use super::encoder::failed;
use crate::error::Result;
use crate::record::format::Codec;

/// 32 KiB, the largest window, as every gzip uses it.
const WINDOW_BITS: u8 = 15;
/// Room that is made for output at a time.
const STEP_BYTES: usize = 8 << 10;

#[derive(Default)]
pub(super) struct GzipEncoder {
    /// By level: a producer uses one or two of them.
    contexts: Vec<(i32, Compress)>,
    current: usize,
}

impl GzipEncoder {
    pub(super) fn begin(&mut self, level: i32) {
        let known = self.contexts.iter().position(|&(known, _)| known == level);
        self.current = known.unwrap_or_else(|| {
            let context = Compress::new_gzip(Compression::new(level as u32), WINDOW_BITS);
            self.contexts.push((level, context));
            self.contexts.len() - 1
        });
        self.contexts[self.current].1.reset();
    }

    pub(super) fn write(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let context = &mut self.contexts[self.current].1;
        let mut rest = plain;
        while !rest.is_empty() {
            out.reserve(STEP_BYTES);
            let before = context.total_in();
            context
                .compress_vec(rest, out, FlushCompress::None)
                .map_err(|cause| failed(Codec::Gzip, cause))?;
            rest = &rest[(context.total_in() - before) as usize..];
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let context = &mut self.contexts[self.current].1;
        loop {
            out.reserve(STEP_BYTES);
            let status = context
                .compress_vec(&[], out, FlushCompress::Finish)
                .map_err(|cause| failed(Codec::Gzip, cause))?;
            if status == Status::StreamEnd {
                return Ok(());
            }
        }
    }
}
