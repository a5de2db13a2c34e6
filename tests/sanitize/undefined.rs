//! Programs with undefined behaviour, one for each thing that Miri is asked about: `--cfg race`,
//! `--cfg leak`, `--cfg borrow`. The step demands that it tells of each; or its silence says nothing.

#[cfg(race)]
fn main() {
    static mut SHARED: u32 = 0;
    let write = || unsafe { SHARED += 1 };
    let other = std::thread::spawn(write);
    write();
    other.join().unwrap();
}

#[cfg(leak)]
fn main() {
    std::mem::forget(Box::new(1));
}

/// A reference is used again after another one, made before it, was written through.
#[cfg(borrow)]
fn main() {
    let mut value = 1;
    let first: *mut i32 = &mut value;
    let second = unsafe { &mut *first };
    *second += 1;
    unsafe { *first = 3 };
    println!("{second}");
}
