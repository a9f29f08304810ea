// Package publish brings one file, or one directory of files, from nothing to
// durable: it stages the bytes, replaces the target with them in one step, and
// sets the target's flag.
//
// # What is promised
//
// At every instant, and after a kill or a power cut at any instant, the target
// is the whole old or the whole new file, and a flag that is there describes
// the target that is there. After an error everything is as it was before.
//
// # How
//
//  1. [Begin] creates the stage in the target's own directory: a file without a
//     name (O_TMPFILE) where the platform has it, else a file in a hidden
//     directory whose lock shows that its writer lives. Dead stages of the same
//     target are swept.
//  2. [Stage.Write] takes the bytes, counts and checksums them on the way, and
//     starts their write-back early.
//  3. [Stage.Seal] syncs the stage and [Stage.Publish], under the lock of the
//     directory, goes through the steps below. Each is one system call, and the
//     directory is synced in between, so that what a power cut can undo is
//     always a tail of this list.
//
// The steps of Publish:
//
//	write and sync the new flag         under a hidden name
//	link the stage                      to a hidden name, if it has none
//	link the old target                 to a hidden name, to be able to go back,
//	                                    and to that of a backup, if one is wanted
//	rename the old flag away            sync the directory
//	rename the stage over the target    sync the directory
//	rename the new flag into place      sync the directory
//
// Two names cannot change at once, so the flag is briefly absent; it is never
// wrong. [Published.Keep] then removes the hidden names, and [Published.Undo]
// goes the whole way back.
//
// # Directories
//
// With [Options.Directory] the target is a directory of files, a dataset as Hive
// lays it out. Its stage is a directory too, in the hidden directory of a stage
// with a name; [Stage.CreateFile] makes the files in it, which are synced while
// the next ones are written. A directory cannot be renamed over another, so the
// two are exchanged (renameat2(2) with RENAME_EXCHANGE), and what has come to the
// stage's place is removed by Keep. Only a directory that holds nothing but files
// of a dataset is replaced. The files of two writes never have the same name if
// the caller sees to it; then who has listed the old files and opens them by name
// after the exchange does not find them, but never finds others.
//
// # Names
//
// Hidden names are fixed for each target and used only under the lock, so the
// next write finds what a dead one left without searching the directory. The
// model for the sequence is POSIX with ext4's rules: fsync(2) of a file makes
// its bytes durable, fsync of a directory its names.
package publish
