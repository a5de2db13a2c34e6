//! zstd (RFC 8878), KIP-110. Owns its contexts; the library behind them is the one written in C.

use std::io::{self, Read};

use zstd_safe::{
    get_error_name, CCtx, CParameter, DCtx, DParameter, InBuffer, OutBuffer, ResetDirective,
};

use super::decoder::invalid;
use super::encoder::failed;
use crate::error::{Error, Result};
use crate::record::format::Codec;

/// Room that is made for output at a time.
const STEP_BYTES: usize = 16 << 10;
/// The largest window that is read: 2^27 bytes, which the highest level uses. Memory for it is taken
/// only as far as it is filled.
const WINDOW_LOG_MAX: u32 = 27;
/// Above so many plain bytes the library takes tables for megabytes.
const SMALL_BYTES: usize = 256 << 10;
/// Level 3 beyond [`SMALL_BYTES`]: hash tables of half the library's size (2^17 and 2^16 entries), which stay
/// in a core's cache beside the batch. On nine sorts of records of 40 to 1024 bytes that took 4 to 13 % off
/// the time, and wrote 0.4 % less to 0.9 % more.
const HASH_LOG: u32 = 16;
const CHAIN_LOG: u32 = 15;

#[derive(Default)]
pub(super) struct ZstdEncoder {
    context: Option<CCtx<'static>>,
}

fn error(code: usize) -> Error {
    failed(Codec::Zstd, get_error_name(code))
}

impl ZstdEncoder {
    pub(super) fn begin(&mut self, level: i32, plain_bytes: usize) -> Result<()> {
        if self.context.is_none() {
            self.context = CCtx::try_create();
        }
        let context = self.context()?;
        context.reset(ResetDirective::SessionOnly).map_err(error)?;
        context.set_parameter(CParameter::CompressionLevel(level)).map_err(error)?;
        let halved = level == 3 && !(1..=SMALL_BYTES).contains(&plain_bytes);
        // 0 is the library's own choice.
        let (hash, chain) = if halved { (HASH_LOG, CHAIN_LOG) } else { (0, 0) };
        context.set_parameter(CParameter::HashLog(hash)).map_err(error)?;
        context.set_parameter(CParameter::ChainLog(chain)).map_err(error)?;
        // The size known, tables and window are made no larger than it needs.
        let pledged = (plain_bytes > 0).then_some(plain_bytes as u64);
        context.set_pledged_src_size(pledged).map_err(error)?;
        Ok(())
    }

    fn context(&mut self) -> Result<&mut CCtx<'static>> {
        self.context.as_mut().ok_or_else(|| failed(Codec::Zstd, "no memory for its context"))
    }

    pub(super) fn write(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.step(plain, Directive::ZSTD_e_continue, out)
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.step(&[], Directive::ZSTD_e_end, out)
    }

    fn step(&mut self, plain: &[u8], directive: Directive, out: &mut Vec<u8>) -> Result<()> {
        let context = self.context()?;
        let mut input = InBuffer::around(plain);
        loop {
            out.reserve(STEP_BYTES);
            let at = out.len();
            let mut output = OutBuffer::around_pos(out, at);
            let left =
                context.compress_stream2(&mut output, &mut input, directive).map_err(error)?;
            let all_read = input.pos() == plain.len();
            if all_read && (left == 0 || directive == Directive::ZSTD_e_continue) {
                return Ok(());
            }
        }
    }
}

type Directive = zstd_safe::zstd_sys::ZSTD_EndDirective;

/// Reads frames one after the other.
pub(super) struct ZstdReader<R: Read> {
    compressed: R,
    context: DCtx<'static>,
    input: Vec<u8>,
    taken: usize,
    /// In the middle of a frame.
    inside: bool,
    begun: bool,
}

/// Compressed bytes asked for at a time.
const INPUT_BYTES: usize = 8 << 10;

impl<R: Read> ZstdReader<R> {
    pub(super) fn new(compressed: R) -> Result<ZstdReader<R>> {
        let no_memory = || failed(Codec::Zstd, "no memory for its context");
        let mut context = DCtx::try_create().ok_or_else(no_memory)?;
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(error)?;
        Ok(ZstdReader {
            compressed,
            context,
            input: Vec::new(),
            taken: 0,
            inside: false,
            begun: false,
        })
    }

    /// Makes sure that there is input; false at the end of it.
    fn fill(&mut self) -> io::Result<bool> {
        if self.taken < self.input.len() {
            return Ok(true);
        }
        self.input.resize(INPUT_BYTES, 0);
        let count = self.compressed.read(&mut self.input)?;
        self.input.truncate(count);
        self.taken = 0;
        Ok(count > 0)
    }
}

impl<R: Read> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let more = self.fill()?;
            if !more && !self.inside {
                // Nothing at all is not a frame.
                return if self.begun { Ok(0) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            self.begun = true;
            let mut input = InBuffer::around(&self.input[self.taken..]);
            let mut output = OutBuffer::around(&mut *buffer);
            let hint = self
                .context
                .decompress_stream(&mut output, &mut input)
                .map_err(|code| invalid(get_error_name(code)))?;
            let (read, written) = (input.pos(), output.pos());
            self.taken += read;
            self.inside = hint != 0;
            if written > 0 {
                return Ok(written);
            }
            if !more && read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
