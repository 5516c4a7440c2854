//! What crosses the border to C: borrowed text, owned buffers, status and message.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

/// Failures are sentences for a person.
pub type Result<T> = std::result::Result<T, String>;

pub const OK: i32 = 0;
pub const FAILED: i32 = 1;

/// Bytes that the caller owns and that stay valid during the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    data: *const u8,
    size: usize,
}

/// Bytes that the bridge owns; `lathe_bytes_free` frees them.
#[repr(C)]
pub struct Bytes {
    data: *mut u8,
    size: usize,
}

/// Token ids of several texts one after the other; `lathe_ids_free` frees them.
#[repr(C)]
pub struct Ids {
    ids: *mut u32,
    size: usize,
    /// Where each text ends in `ids`.
    ends: *mut usize,
    texts: usize,
}

impl Text {
    /// # Safety
    /// `data` points at `size` bytes that outlive `'a`.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        slice(self.data, self.size)
    }

    /// # Safety
    /// As `bytes`.
    pub unsafe fn str<'a>(self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()).map_err(|e| {
            format!(
                "expected valid UTF-8, found an invalid sequence at byte {}",
                e.valid_up_to()
            )
        })
    }
}

impl Bytes {
    pub fn from_string(text: String) -> Self {
        let (data, size) = give(text.into_bytes());
        Self { data, size }
    }
}

impl Ids {
    pub fn from_texts(encoded: Vec<Vec<u32>>) -> Self {
        let mut ids = Vec::with_capacity(encoded.iter().map(Vec::len).sum());
        let mut ends = Vec::with_capacity(encoded.len());
        for text in encoded {
            ids.extend_from_slice(&text);
            ends.push(ids.len());
        }
        let (ids, size) = give(ids);
        let (ends, texts) = give(ends);
        Self {
            ids,
            size,
            ends,
            texts,
        }
    }
}

fn give<T>(values: Vec<T>) -> (*mut T, usize) {
    let values = Box::leak(values.into_boxed_slice());
    (values.as_mut_ptr(), values.len())
}

unsafe fn take<T>(data: *mut T, size: usize) {
    if !data.is_null() {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(
            data, size,
        )));
    }
}

/// # Safety
/// `data` points at `size` values that outlive `'a`, or `size` is 0.
pub unsafe fn slice<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if size == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(data, size)
    }
}

/// Runs the body of a C function: its failure or panic becomes a status and a message.
///
/// # Safety
/// `error` may be written.
pub unsafe fn guard(error: *mut Bytes, body: impl FnOnce() -> Result<()>) -> i32 {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(|| std::panic::set_hook(Box::new(|_| ())));
    let message = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return OK,
        Ok(Err(message)) => message,
        Err(panic) => explain(panic.as_ref()),
    };
    *error = Bytes::from_string(message);
    FAILED
}

fn explain(panic: &(dyn Any + Send)) -> String {
    let message = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(message), _) => message.as_str(),
        (_, Some(message)) => message,
        _ => "panic without a message",
    };
    if message.contains("retry-limit") || message.contains("stack limit") {
        return format!(
            "a regular expression of the tokenizer needs too many steps on this text ({message}); \
             nothing was encoded"
        );
    }
    format!("internal error of a library: {message}")
}

/// # Safety
/// `bytes` came from this library and is freed once.
#[no_mangle]
pub unsafe extern "C" fn lathe_bytes_free(bytes: Bytes) {
    take(bytes.data, bytes.size);
}

/// # Safety
/// `ids` came from this library and is freed once.
#[no_mangle]
pub unsafe extern "C" fn lathe_ids_free(ids: Ids) {
    take(ids.ids, ids.size);
    take(ids.ends, ids.texts);
}
