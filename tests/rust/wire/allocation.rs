//! The hot paths allocate nothing: what is written goes into room that is there, what is read is borrowed or is a number.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use oxidyn::wire::Tag;
use oxidyn::wire::reader::Reader;
use oxidyn::wire::{float, uuid, writer};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is the system's own; counting allocates nothing.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn an_item_is_written_into_room_that_is_there_without_an_allocation() {
    let mut out = Vec::with_capacity(1024);

    let count = allocations(|| {
        for _ in 0..5 {
            writer::push_key(&mut out, "name");
            writer::push_s(&mut out, "Grace \"Amazing\" Hopper of the United States Navy");
            writer::push_n_integer(&mut out, -42);
            writer::push_n_integer(&mut out, i64::MAX);
            float::push_n(&mut out, 0.1).unwrap();
            float::push_n(&mut out, 1.0 / 3.0).unwrap();
            writer::push_bool(&mut out, true);
            writer::push_null(&mut out);
            uuid::encode(&mut out, 7);
        }
    });

    assert_eq!(count, 0);
}

#[test]
fn an_item_is_read_without_an_allocation() {
    let wire =
        br#"{"name":{"S":"Grace Hopper"},"age":{"N":"85"},"height":{"N":"1.123456789012345678"},"on":{"BOOL":true}}"#;

    let count = allocations(|| {
        let mut reader = Reader::new(wire);
        let mut more = reader.begin_object().unwrap();
        while more {
            reader.key().unwrap();
            match reader.tag().unwrap() {
                Tag::S => assert!(reader.text().unwrap().is_ascii()),
                Tag::N => assert!(reader.try_small_integer().is_some() || reader.try_float().is_some()),
                _ => assert!(reader.boolean().unwrap()),
            }
            reader.end().unwrap();
            more = reader.next_member().unwrap();
        }
        reader.finish().unwrap();
    });

    assert_eq!(count, 0);
}
