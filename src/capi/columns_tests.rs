//! Columns of byte strings in every layout, and what is refused.

use super::*;

fn read(given: &ottla_column_t, count: usize) -> Result<Vec<Option<Vec<u8>>>> {
    // SAFETY: the tests below point at arrays that live longer.
    let mut strings = unsafe { Strings::of("test", given, count) }?;
    Ok((0..count).map(|_| strings.take().map(<[u8]>::to_vec)).collect())
}

fn some(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

fn of_data(data: &[u8]) -> ottla_column_t {
    ottla_column_t { data: data.as_ptr().cast(), data_len: data.len(), ..NO_COLUMN }
}

#[test]
fn nothing_at_all_is_null() {
    assert_eq!(read(&NO_COLUMN, 2).unwrap(), [None, None]);
    assert_eq!(read(&of_data(b"unused"), 1).unwrap(), [None]);
}

#[test]
fn lengths_lie_one_behind_another() {
    let lengths = [2, -1, 0, 3];
    let column = ottla_column_t { lengths: lengths.as_ptr(), ..of_data(b"abcde") };
    assert_eq!(read(&column, 4).unwrap(), [some("ab"), None, some(""), some("cde")]);
    for (bad, data) in [([2, 4], "abcde"), ([-2, 1], "abcde"), ([i32::MAX, i32::MAX], "x")] {
        let column = ottla_column_t { lengths: bad.as_ptr(), ..of_data(data.as_bytes()) };
        assert_eq!(read(&column, 2).unwrap_err().code(), ErrorCode::ARGUMENT, "{bad:?}");
    }
}

#[test]
fn offsets_are_arrows() {
    let (narrow, wide, validity) = ([1i32, 2, 2, 5], [1i64, 2, 2, 5], [0b1011u8]);
    let data = of_data(b".abcd");
    let narrow = ottla_column_t { offsets: narrow.as_ptr().cast(), ..data };
    let wide = ottla_column_t { offsets: wide.as_ptr().cast(), offset_bits: 64, ..data };
    for column in [narrow, wide] {
        assert_eq!(read(&column, 3).unwrap(), [some("a"), some(""), some("bcd")]);
        let from = ottla_column_t { first: 1, ..column };
        assert_eq!(read(&from, 2).unwrap(), [some(""), some("bcd")]);
        let nulls = ottla_column_t { validity: validity.as_ptr(), ..column };
        assert_eq!(read(&nulls, 3).unwrap(), [some("a"), some(""), None]);
        let short = ottla_column_t { data_len: 4, ..column };
        assert!(read(&short, 3).is_err());
        let bits = ottla_column_t { offset_bits: 16, ..column };
        assert!(read(&bits, 3).is_err());
        let far = ottla_column_t { first: usize::MAX, ..column };
        assert!(read(&far, 3).is_err());
    }
    for bad in [[3i32, 2], [-1, 2]] {
        let column = ottla_column_t { offsets: bad.as_ptr().cast(), ..data };
        assert!(read(&column, 1).is_err(), "{bad:?}");
    }
}

#[test]
fn a_width_holds_for_all() {
    let validity = [0b101u8];
    let column = ottla_column_t { width: 2, validity: validity.as_ptr(), ..of_data(b"aabbcc") };
    assert_eq!(read(&column, 3).unwrap(), [some("aa"), None, some("cc")]);
    assert_eq!(read(&ottla_column_t { first: 2, ..column }, 1).unwrap(), [some("cc")]);
    assert!(read(&column, 4).is_err());
}

#[test]
#[cfg(all(target_pointer_width = "64", not(miri)))]
fn the_bytes_of_many_strings_may_be_more_than_one_record_can_hold() {
    // Never touched, so never there: 3 GiB of zeros.
    let data = vec![0u8; 3 << 30];
    let offsets = [2_999_999_998i64, 3_000_000_000];
    let column =
        ottla_column_t { offsets: offsets.as_ptr().cast(), offset_bits: 64, ..of_data(&data) };
    assert_eq!(read(&column, 1).unwrap(), [Some(vec![0, 0])]);
    let absurd = ottla_column_t { data_len: usize::MAX, ..column };
    assert_eq!(read(&absurd, 1).unwrap_err().code(), ErrorCode::ARGUMENT);
}
