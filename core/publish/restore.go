package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/seojaeohcode/atio/core/store"
)

// Restore puts the newest backup of a target back in its place, as atomically
// as Publish, and sets its flag if the target had one. What the target held is
// given up, and the older backups move one down. Without a backup the error is
// an [fs.ErrNotExist]. format is used for a flag whose backup had none.
func Restore(ctx context.Context, target, format string, o Options) (*Published, error) {
	if o.Store == nil {
		o.Store = store.Local{}
	}
	st := o.Store
	target, info, err := resolve(st, target)
	if err != nil {
		return nil, err
	}
	s := &Stage{output: output{ctx: ctx, o: o, target: target}, st: st, names: namesOf(target)}
	if backup, err := st.Lstat(BackupPath(target, 1)); err == nil {
		s.o.Directory = backup.Mode.IsDir()
	} else if info != nil {
		s.o.Directory = info.Mode.IsDir()
	}
	if err := s.checkTarget(info); err != nil {
		return nil, err
	}
	sweep(st, s.names)
	lock, err := st.Lock(ctx, s.names.dir)
	if err != nil {
		return nil, wrap("lock the directory of", target, err)
	}
	p := &Published{stage: s, lock: lock, Target: target}
	if err := p.restore(format); err != nil {
		return nil, p.back(err)
	}
	return p, nil
}

func (p *Published) restore(format string) error {
	s, n := p.stage, p.stage.names
	backup := BackupPath(n.target, 1)
	_, exists, err := p.oldTarget()
	if err != nil {
		return err
	}
	flag, hadFlag, err := p.flagOfBackup(backup, format)
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{Op: "restore", Path: n.target, Err: err,
			Advice: fmt.Sprintf("it has no backup %s: only write with backup=True keeps one", backup)}
	}
	if err != nil {
		return wrap("restore", n.target, err)
	}
	p.Flag = flag
	if hadFlag {
		if err := p.writeFlag(n.newFlag, flag); err != nil {
			return wrap("write the flag of", n.target, err)
		}
	}
	staged := backup
	if !s.o.Directory {
		// A second name for the backup is what is renamed over the target, so that
		// the backup itself stays until the end.
		staged = n.newFile
		if err := p.onFree(staged, func() error { return s.st.Link(backup, staged) }); err != nil {
			return wrap("restore", n.target, err)
		}
		p.undo = append(p.undo, func() error { return p.remove(staged) })
	}
	kept := false
	if exists {
		if kept, err = p.keepOld(); err != nil {
			return wrap("keep the old content of", n.target, err)
		}
	}
	if hadFlag {
		if err := p.takeAwayFlag(); err != nil {
			return err
		}
	}
	if err := p.replace(staged, exists, kept); err != nil {
		return err
	}
	if hadFlag {
		if err := p.rename(n.newFlag, n.flag); err != nil {
			return wrap("set the flag of", n.target, err)
		}
	}
	if err := p.unrotateBackups(); err != nil {
		return wrap("restore", n.target, err)
	}
	return p.syncDir()
}

// flagOfBackup is the flag that the backup's content is to have. The flag of the
// present content tells what is known of it; the bytes themselves are read to
// make sure.
func (p *Published) flagOfBackup(backup, format string) (flag Flag, hadFlag bool, err error) {
	s, target := p.stage, p.stage.names.target
	f, err := s.st.Open(backup)
	if err != nil {
		return flag, false, err
	}
	defer f.Close()
	// A flag that cannot be read is replaced like any other.
	present, err := ReadFlag(s.st, target)
	hadFlag = !errors.Is(err, fs.ErrNotExist)
	if err != nil && hadFlag && !errors.Is(err, ErrCorrupt) {
		return flag, false, err
	}
	flag = Flag{Format: format, Checksum: XXH3}
	if len(present.Backups) > 0 {
		flag = present.Backups[0]
	}
	content, err := p.contentOf(backup, f, flag.Checksum)
	if err != nil {
		return flag, false, err
	}
	if content.Checksum != flag.Checksum || content.Bytes != flag.Bytes {
		if len(present.Backups) > 0 {
			flag = Flag{Format: flag.Format}
		}
		flag.Checksum, flag.Bytes, flag.Files = content.Checksum, content.Bytes, content.Files
	}
	flag.Version = flagVersion
	flag.Time = time.Now().UTC().Truncate(time.Microsecond)
	if len(present.Backups) > 1 {
		flag.Backups = present.Backups[1:]
	}
	return flag, hadFlag, nil
}

// contentOf reads what a flag is to say of the bytes of a backup.
func (p *Published) contentOf(backup string, f store.File, checksum string) (flag Flag, err error) {
	s := p.stage
	if !s.o.Directory {
		flag.Checksum, flag.Bytes, err = checksumOf(ctxReader{s.ctx, f}, checksum)
		return flag, err
	}
	if flag.Files, err = filesOf(s.st, backup, ""); err != nil {
		return flag, err
	}
	for i := range flag.Files {
		file := &flag.Files[i]
		if file.Checksum, err = checksumOfFile(s.ctx, s.st, backup, file.Path, checksum); err != nil {
			return flag, err
		}
	}
	name, _, _ := strings.Cut(checksum, ":")
	sum, size := manifest(flag.Files, name)
	flag.Checksum, flag.Bytes = sum.String(), size
	return flag, nil
}

// unrotateBackups drops backup 1, which is the target now, by moving the others
// one down.
func (p *Published) unrotateBackups() error {
	s, n := p.stage, p.stage.names
	// It is not removed but kept aside, to be able to go back. A directory has
	// left its place already, to the one that it has replaced if there was one.
	if !s.o.Directory || p.exchanged {
		if err := p.setAside(BackupPath(n.target, 1), n.spare); err != nil {
			return err
		}
	}
	for i := 2; ; i++ {
		from := BackupPath(n.target, i)
		if _, err := s.st.Lstat(from); errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		if err := p.rename(from, BackupPath(n.target, i-1)); err != nil {
			return err
		}
	}
}
