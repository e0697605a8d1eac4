//! A real mount of a type that is refused. No server is needed: the file system is this test, by FUSE.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Stdio;
use std::thread;

use taskstore::Error;

use super::Mounted;
use crate::support::options;

/// Of the file system's calls, those that are needed to look for a file in an empty directory.
const LOOKUP: u32 = 1;
const GETATTR: u32 = 3;
const INIT: u32 = 26;

const ENOENT: i32 = -2;
const ENOSYS: i32 = -38;

/// Answers the kernel until the file system is unmounted: an empty directory in which nothing can be made.
fn serve(mut device: File) {
    let mut request = vec![0; 1 << 17];
    while let Ok(length) = device.read(&mut request) {
        let number = |at: usize| u32::from_ne_bytes(request[at..at + 4].try_into().unwrap());
        assert!(length >= 40);
        let (error, body) = match number(4) {
            INIT => (0, words(&[7, 31, 0, 0, 0, 1 << 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
            // Valid for no time; inode 1, a directory of mode 0755 with two links.
            GETATTR => {
                let mut attributes = vec![0; 26];
                (attributes[4], attributes[19], attributes[20]) = (1, 0o40_755, 2);
                (0, words(&attributes))
            }
            LOOKUP => (ENOENT, Vec::new()),
            _ => (ENOSYS, Vec::new()),
        };
        let mut answer = words(&[16 + u32::try_from(body.len()).unwrap()]);
        answer.extend(error.to_ne_bytes());
        answer.extend(&request[8..16]);
        answer.extend(body);
        let _ = device.write_all(&answer);
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

#[test]
fn a_file_on_a_network_file_system_is_refused_unless_that_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let Ok(device) = OpenOptions::new().read(true).write(true).open("/dev/fuse") else {
        return eprintln!("not tested: there is no /dev/fuse, or it may not be opened");
    };
    let stdin = Stdio::from(device.try_clone().unwrap());
    let fuse = ["-i", "-t", "fuse.sshfs", "-o", "fd=0,rootmode=40000,user_id=0,group_id=0", "nowhere"];
    let Some(mounted) = Mounted::with_stdin(&fuse, directory.path(), stdin) else { return };
    let served = thread::spawn(move || serve(device));

    let path = directory.path().canonicalize().unwrap().join("tasks.db");
    for options in [options(), options().read_only(true)] {
        let error = options.open(&path).unwrap_err();
        let Error::NetworkFileSystem { path: named, file_system } = &error else { panic!("{error:?}") };
        assert_eq!((named, file_system.as_str()), (&path, "fuse.sshfs"));
        let text = format!(
            "{} is on fuse.sshfs, a network file system, where a store can be damaged; put it on a local disk",
            path.display()
        );
        assert_eq!(error.to_string(), text);
    }
    // The control: what is allowed comes as far as the file system itself, in which nothing can be made.
    for options in [options().allow_network_file_system(true), options().immutable(true)] {
        let error = options.open(&path).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
    }
    drop(mounted);
    served.join().unwrap();
}
