//! Refuses files on network file systems, as far as the system tells: SQLite's `-shm` is memory that all who have the file
//! open share, and its locks must hold between them. Across machines neither is so.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The types of file systems that another machine, or the host of this one, may write behind the kernel's back. What FUSE
/// runs is named behind a dot.
const NETWORK: [&str; 35] = [
    "9p",
    "acfs",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse.ceph",
    "fuse.ceph-fuse",
    "fuse.curlftpfs",
    "fuse.davfs2",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.goofys",
    "fuse.juicefs",
    "fuse.mfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.seaweedfs",
    "fuse.smbnetfs",
    "fuse.sshfs",
    "fuse.vmhgfs-fuse",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "orangefs",
    "pvfs2",
    "smb3",
    "smbfs",
    "vboxsf",
    "vmhgfs",
];

/// Refuses a canonical path on a network file system. Where the system does not tell, none is refused.
pub(super) fn refuse(path: &Path) -> Result<()> {
    let mut mounts = Vec::new();
    let read = OpenOptions::new().read(true).open("/proc/self/mountinfo");
    if read.and_then(|mut file| file.read_to_end(&mut mounts)).is_err() {
        return Ok(());
    }
    match type_of(&mounts, path) {
        Some(file_system) if NETWORK.contains(&file_system) => {
            Err(Error::NetworkFileSystem { path: path.to_owned(), file_system: file_system.to_owned() })
        }
        _ => Ok(()),
    }
}

/// The type of the file system that a path is on, by the lines of `mountinfo`: that of the longest mount point above it.
/// Of several at one point the last one hides the others.
fn type_of<'a>(mounts: &'a [u8], path: &Path) -> Option<&'a str> {
    let mounts = mounts.split(|byte| *byte == b'\n').filter_map(mount);
    let above = mounts.filter(|(point, _)| path.starts_with(point));
    above.max_by_key(|(point, _)| point.as_os_str().len()).map(|(_, file_system)| file_system)
}

/// The mount point and the type in a line such as
/// `36 35 98:0 /mnt1 /mnt/parent rw,noatime master:1 - ext3 /dev/root rw,errors=continue`, in which any number of fields
/// may stand before the dash.
fn mount(line: &[u8]) -> Option<(PathBuf, &str)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = unescape(fields.nth(4)?);
    fields.find(|field| *field == b"-")?;
    Some((point, std::str::from_utf8(fields.next()?).ok()?))
}

/// What would part the fields of a line (space, tab, newline, backslash) stands there as `\040`, in octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let (mut bytes, mut rest) = (Vec::with_capacity(field.len()), field);
    while let Some((first, behind)) = rest.split_first() {
        let escaped = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                Some(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'))
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { rest.get(4..).unwrap_or_default() } else { behind };
    }
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    /// As real machines write them.
    const MOUNTS: &str = r"22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resv_strict,resuid=65534,resgid=65534
26 29 0:24 / /dev/shm rw,nosuid,nodev shared:4 - tmpfs tmpfs rw,inode64
98 27 0:45 / /home rw,relatime shared:51 - nfs4 10.0.0.2:/export/home rw,vers=4.2,rsize=1048576,hard,proto=tcp
99 98 8:17 / /home/ann/local\040disk rw,relatime shared:52 master:3 propagate_from:2 - xfs /dev/sdb1 rw,attr2
120 27 0:52 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync,aname=drvfs;path=C:\;uid=1000
121 27 0:53 / /srv/music rw,nosuid,nodev - fuse.sshfs ann@music:/ rw,user_id=1000,group_id=1000
122 27 8:33 / /data rw - ext4 /dev/sdc1 rw
123 122 0:60 / /data rw - cifs //nas/data rw,vers=3.1.1
124 27 0:61 / /over rw - nfs nas:/over rw
125 124 8:34 / /over rw - ext4 /dev/sdd1 rw
126 27 0:62 / /mnt/\303\274ber\011all rw - smb3 //nas/x rw
";

    fn at(path: &str) -> Option<&'static str> {
        type_of(MOUNTS.as_bytes(), Path::new(path))
    }

    #[test]
    fn a_path_is_on_the_file_system_of_the_longest_mount_point_above_it() {
        assert_eq!(at("/tasks.db"), Some("ext4"));
        assert_eq!(at("/home/ann/tasks.db"), Some("nfs4"));
        assert_eq!(at("/home/ann/local disk/tasks.db"), Some("xfs"));
        assert_eq!(at("/dev/shm/tasks.db"), Some("tmpfs"));
        assert_eq!(at("/mnt/c/tasks.db"), Some("9p"));
        assert_eq!(at("/srv/music/a/b/tasks.db"), Some("fuse.sshfs"));
    }

    #[test]
    fn a_mount_point_is_above_whole_names_only() {
        assert_eq!(at("/homes/ann/tasks.db"), Some("ext4"));
        assert_eq!(at("/srv/music2/tasks.db"), Some("ext4"));
    }

    #[test]
    fn of_mounts_at_one_point_the_last_one_counts() {
        assert_eq!(at("/data/tasks.db"), Some("cifs"));
        assert_eq!(at("/over/tasks.db"), Some("ext4"));
    }

    #[test]
    fn escapes_are_undone_and_what_only_looks_like_one_is_not() {
        assert_eq!(at("/mnt/über\tall/tasks.db"), Some("smb3"));
        for (escaped, plain) in
            [(r"\040\011\012\134", " \t\n\\"), (r"\04", r"\04"), (r"\\040", r"\ "), (r"\900", r"\900")]
        {
            assert_eq!(unescape(escaped.as_bytes()).as_os_str().as_bytes(), plain.as_bytes());
        }
    }

    #[test]
    fn a_line_that_is_cut_off_or_strange_says_nothing() {
        for cut in 0..MOUNTS.len() {
            let _ = type_of(&MOUNTS.as_bytes()[..cut], Path::new("/home/tasks.db"));
        }
        assert_eq!(type_of(b"", Path::new("/tasks.db")), None);
        assert_eq!(type_of(b"\xff \xff\n1 2 3:4 / / rw\n1 2 3:4 / / rw -\n", Path::new("/tasks.db")), None);
    }
}
