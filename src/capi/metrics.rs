//! A producer's metrics, as a snapshot by name. Names are the core's.
#![allow(unsafe_code)]

use std::ffi::{c_char, CString};

use crate::capi::error::{c_text, ottla_error_t};
use crate::capi::producer::ottla_producer_t;
use crate::capi::registry::{self, Kind};
use crate::capi::{gate, guard};
use crate::error::{Error, ErrorCode};

/// The metrics of a producer at one moment. Freed by the caller with ottla_metrics_free(). Never
/// changes, so any number of threads may read it; names that it gives belong to it. Totals run since the
/// producer was made: a rate is the difference of two snapshots.
pub struct ottla_metrics_t {
    _opaque: [u8; 0],
}

pub(super) struct MetricsObject(Vec<(CString, f64)>);

impl Kind for MetricsObject {
    type Opaque = ottla_metrics_t;
    const NUMBER: usize = 5;
}

/// All metrics now.
///
/// # Safety
/// `metrics_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_metrics(
    producer: *mut ottla_producer_t,
    metrics_out: *mut *mut ottla_metrics_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let place = gate::out("metrics_out", metrics_out);
        let done = guard::on_producer(producer, guard::METRICS, |object| {
            let place = place?;
            let metrics = object.producer.metrics();
            let samples = metrics.iter().map(|(name, value)| (c_text(name), value));
            place.write(registry::insert(MetricsObject(samples.collect()))?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// Number of metrics.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_metrics_count(metrics: *const ottla_metrics_t) -> usize {
    guard::look::<MetricsObject, _>(metrics, 0, |object| object.0.len())
}

/// Name and value of the `index`-th metric. The value is NaN for an average or maximum of nothing.
///
/// # Safety
/// `name_out` and `value_out` are writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_metrics_at(
    metrics: *const ottla_metrics_t,
    index: usize,
    name_out: *mut *const c_char,
    value_out: *mut f64,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (name, value) =
        unsafe { (gate::out("name_out", name_out), gate::out("value_out", value_out)) };
    guard::answer(guard::on::<MetricsObject>(metrics, |object| {
        let (name, value) = (name?, value?);
        let sample = object.0.get(index).ok_or_else(|| {
            let count = object.0.len();
            Error::new(ErrorCode::ARGUMENT, format!("metric {index}: there are {count}"))
        })?;
        name.write(sample.0.as_ptr());
        value.write(sample.1);
        Ok(())
    }))
}

/// The value of one metric by name. OTTLA_ERROR_ARGUMENT: there is none of this name.
///
/// # Safety
/// `name` is readable for its length; `value_out` is writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_metrics_get(
    metrics: *const ottla_metrics_t,
    name: *const c_char,
    name_len: usize,
    value_out: *mut f64,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (name, value) =
        unsafe { (gate::text("name", name, name_len), gate::out("value_out", value_out)) };
    guard::answer(guard::on::<MetricsObject>(metrics, |object| {
        let (name, value) = (name?, value?);
        let found = object.0.iter().find(|sample| sample.0.as_bytes() == name.as_bytes());
        let sample = found.ok_or_else(|| {
            Error::new(ErrorCode::ARGUMENT, format!("there is no metric {name:?}"))
        })?;
        value.write(sample.1);
        Ok(())
    }))
}

/// Frees a snapshot. NULL is fine. OTTLA_ERROR_HANDLE if it was freed before.
///
/// # Safety
/// Names of the snapshot are not used any more.
#[no_mangle]
pub unsafe extern "C" fn ottla_metrics_free(metrics: *mut ottla_metrics_t) -> i32 {
    guard::free::<MetricsObject>(metrics)
}
