package publish

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/seojaeohcode/atio/core/progress"
	"github.com/seojaeohcode/atio/core/store"
)

// Content is what a flag says beside what the stage knows itself.
type Content struct {
	Format string
	Rows   *int64 // nil if there are none or they are not known
	Engine string // whose encoder made the bytes
}

// Published is a target that has been replaced but can still go back. The
// directory stays locked until Keep or Undo, so that nobody else's file is in
// between.
type Published struct {
	Flag   Flag   // what the flag says, also if there is none
	Target string // the resolved path

	stage *Stage
	lock  store.Unlocker
	undo  []func() error // in the order done; undone from the end
	aside []string       // hidden names of what was there, for Keep to remove
	// exchanged says that the old content is where the stage was.
	exchanged bool
	ended     bool
}

var errNotSealed = errors.New("publish: the stage has not been sealed")

// Publish replaces the target with the sealed stage. On an error everything is
// as it was before; the stage is to be aborted then.
func (s *Stage) Publish(c Content) (*Published, error) {
	if s.ctx.Err() != nil {
		return nil, context.Cause(s.ctx)
	}
	if !s.sealed {
		return nil, errNotSealed
	}
	s.o.Progress.Enter(progress.Publishing)
	lock, err := s.st.Lock(s.ctx, s.names.dir)
	if err != nil {
		return nil, wrap("lock the directory of", s.names.target, err)
	}
	p := &Published{
		stage:  s,
		lock:   lock,
		Target: s.names.target,
		Flag: Flag{
			Version: flagVersion, Format: c.Format, Rows: c.Rows, Engine: c.Engine,
			Bytes: s.written, Checksum: s.sum.String(), Time: time.Now().UTC().Truncate(time.Microsecond),
		},
	}
	if s.tree != nil {
		p.Flag.Files = s.tree.files
	}
	if err := p.run(); err != nil {
		return nil, p.back(err)
	}
	return p, nil
}

// Keep makes the change final: the way back is removed and the lock given to
// the next writer. What cannot be removed is left for the next sweep.
func (p *Published) Keep() {
	if p.ended {
		return
	}
	s := p.stage
	for _, hidden := range p.aside {
		removeOld(s.st, hidden, s.oldSize)
	}
	// Backups of a time when more of them were asked for.
	for i := s.o.Backups + 1; s.o.Backups > 0; i++ {
		if remove(s.st, BackupPath(s.names.target, i)) != nil {
			break
		}
	}
	p.end()
	s.o.Progress.Enter(progress.Done)
}

// Undo goes back to what was before Publish.
func (p *Published) Undo() error {
	if p.ended {
		return nil
	}
	return p.back(nil)
}

// back undoes what has been done and returns err, with what could not be
// undone, if anything. It stops at the first step that fails: what lies before
// it, such as putting the old flag back, is right only on top of it.
func (p *Published) back(err error) error {
	var failed error
	for i := len(p.undo) - 1; i >= 0; i-- {
		if failed = p.undo[i](); failed != nil {
			break
		}
	}
	p.end()
	if failed == nil {
		return err
	}
	var e *Error
	if !errors.As(err, &e) {
		err = errors.Join(err, wrap("undo the write of", p.Target, failed))
	}
	if errors.As(err, &e) {
		e.Changed = true
		e.Advice += "; going back failed too (" + cause(failed).Error() + "): the target is whole, but may be the new one or have no flag; check it with verify"
	}
	return err
}

func (p *Published) end() {
	p.ended = true
	p.lock.Unlock()
	p.stage.Abort()
}

// run does the steps in the order that doc.go explains.
func (p *Published) run() error {
	s, n := p.stage, p.stage.names
	old, exists, err := p.oldTarget()
	if err != nil {
		return err
	}
	if s.base != nil && (exists != (s.base.Ino != 0) || exists && (!store.SameFile(old, *s.base) || old.Size != s.base.Size)) {
		return &Error{Op: "append to", Path: n.target, Err: ErrConflict, Advice: "write again on top of the newer content"}
	}
	if !s.o.SkipFlag {
		if err := p.prepareFlag(exists && s.o.Backups > 0); err != nil {
			return wrap("write the flag of", n.target, err)
		}
	}
	staged, err := p.nameStage()
	if err != nil {
		return wrap("name the new file of", n.target, err)
	}
	kept := false
	if exists {
		if kept, err = p.keepOld(); err != nil {
			return wrap("keep the old content of", n.target, err)
		}
	}
	backup := exists && s.o.Backups > 0
	if backup {
		if err := p.rotateBackups(); err != nil {
			return wrap("keep a backup of", n.target, err)
		}
	}
	if err := p.takeAwayFlag(); err != nil {
		return err
	}
	if err := p.replace(staged, exists, kept); err != nil {
		return err
	}
	if backup && !kept {
		// A directory has no second name: it becomes the backup from the stage's place.
		if err := p.rename(staged, BackupPath(n.target, 1)); err != nil {
			return wrap("keep a backup of", n.target, err)
		}
	}
	if !s.o.SkipFlag {
		if err := p.rename(n.newFlag, n.flag); err != nil {
			return wrap("set the flag of", n.target, err)
		}
	}
	if err := p.syncDir(); err != nil {
		return err
	}
	if !p.exchanged && !s.o.Directory {
		// Before the caller consents: what is left to do then cannot be interrupted.
		s.removeDir()
	}
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return nil
}

func (p *Published) oldTarget() (info store.Info, exists bool, err error) {
	s := p.stage
	info, err = s.st.Lstat(s.names.target)
	if errors.Is(err, fs.ErrNotExist) {
		return info, false, nil
	}
	if err != nil {
		return info, false, wrap("look up", s.names.target, err)
	}
	if err := s.replaceable(info); err != nil {
		return info, true, err
	}
	return info, true, p.mayReplace(info)
}

// mayReplace refuses another user's file in a directory such as /tmp, in which
// only owners may rename and remove their files: the hidden second name that
// keepOld gives to the old content could not be removed again.
func (p *Published) mayReplace(old store.Info) error {
	s, me := p.stage, os.Geteuid()
	if me <= 0 || old.UID == me {
		return nil
	}
	dir, err := s.st.Lstat(s.names.dir)
	if err != nil {
		return wrap("look up the directory of", s.names.target, err)
	}
	if dir.Mode&fs.ModeSticky == 0 || dir.UID == me {
		return nil
	}
	return &Error{Op: "replace", Path: s.names.target, Err: syscall.EPERM,
		Advice: "it is another user's, and in its directory only owners may replace their files: write elsewhere"}
}

// takeAwayFlag gives the old flag, if there is one, a hidden name.
func (p *Published) takeAwayFlag() error {
	n := p.stage.names
	if len(filepath.Base(n.flag)) > nameMax {
		return nil // a name so long that its flag has none
	}
	err := p.setAside(n.flag, n.oldFlag)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return wrap("take away the old flag of", n.target, err)
	}
	return p.syncDir()
}

// prepareFlag writes the new flag under its hidden name.
func (p *Published) prepareFlag(withBackups bool) error {
	s, n := p.stage, p.stage.names
	if !withBackups {
		return p.writeFlag(n.newFlag, p.Flag)
	}
	if old, err := ReadFlag(s.st, n.target); err == nil {
		// What the flag said of the content that is to become a backup, so that
		// Restore can set it again.
		older := old.Backups
		old.Backups = nil
		p.Flag.Backups = append([]Flag{old}, older...)
		p.Flag.Backups = p.Flag.Backups[:min(len(p.Flag.Backups), s.o.Backups)]
	}
	return p.writeFlag(n.newFlag, p.Flag)
}

func (p *Published) writeFlag(name string, flag Flag) error {
	s := p.stage
	var f store.File
	err := p.onFree(name, func() (err error) {
		f, err = s.st.Create(name, filePerm)
		return err
	})
	if err != nil {
		return err
	}
	p.undo = append(p.undo, func() error { return p.remove(name) })
	_, err = f.Write(flag.encode())
	if err == nil && !s.o.SkipSync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// nameStage gives the stage a name that it can be renamed from.
func (p *Published) nameStage() (string, error) {
	s, n := p.stage, p.stage.names
	staged := s.path
	if staged == "" {
		staged = n.newFile
		if err := p.onFree(staged, func() error { return s.st.LinkNameless(s.file, staged) }); err != nil {
			return "", err
		}
		p.undo = append(p.undo, func() error { return p.remove(staged) })
	}
	if s.file == nil {
		return staged, nil // a directory
	}
	// Some platforms do not rename an open file, and network file systems keep
	// their last errors for close.
	err := s.file.Close()
	s.file = nil
	return staged, err
}

// keepOld gives the old content a second, hidden name as the way back. Where
// it cannot have one, as directories cannot, false is returned.
func (p *Published) keepOld() (bool, error) {
	s, n := p.stage, p.stage.names
	if s.o.Directory {
		return false, nil
	}
	err := p.onFree(n.oldFile, func() error { return s.st.Link(n.target, n.oldFile) })
	if errors.Is(err, store.ErrUnsupported) {
		if s.o.Backups > 0 {
			return false, &Error{Op: "keep a backup of", Path: n.target, Err: err,
				Advice: "the file system has no hard links, or forbids one to another user's file: write without a backup"}
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p.undo = append(p.undo, func() error { return p.remove(n.oldFile) })
	p.aside = append(p.aside, n.oldFile)
	return true, nil
}

// replace puts the stage in the place of the target. If the old content has no
// second name, the two change places, so that it has the stage's; where that
// cannot be either, there is no way back.
func (p *Published) replace(staged string, exists, kept bool) error {
	s, n := p.stage, p.stage.names
	var back func() error
	err := error(store.ErrUnsupported)
	if exists && !kept {
		err = s.st.Exchange(staged, n.target)
		p.exchanged = err == nil
		if p.exchanged && staged == n.newFile { // a stage's directory goes as a whole
			p.aside = append(p.aside, staged)
		}
		back = func() error { return s.st.Exchange(staged, n.target) }
	}
	if errors.Is(err, store.ErrUnsupported) && exists && s.o.Directory {
		return &Error{Op: "replace", Path: n.target, Err: err,
			Advice: "this file system cannot exchange two directories at once: remove the old one first, or write elsewhere"}
	}
	if errors.Is(err, store.ErrUnsupported) {
		err = s.st.Rename(staged, n.target)
		switch {
		case kept:
			back = func() error { return s.st.Rename(n.oldFile, n.target) }
		case !exists && s.o.Directory:
			back = func() error { return s.st.Rename(n.target, staged) }
		case !exists:
			back = func() error { return s.st.Remove(n.target) }
		default:
			back = func() error { return errNoWayBack }
		}
	}
	if err != nil {
		return wrap("replace", n.target, err)
	}
	p.undo = append(p.undo, func() error { return errors.Join(back(), p.syncDirBack()) })
	if p.exchanged && s.o.Directory && !s.o.SkipSync {
		// Where the old directory is now, so that a sweep after a power cut cannot
		// find the new one there.
		if err := s.st.SyncDir(filepath.Dir(staged)); err != nil {
			return wrap("sync the stage of", n.target, err)
		}
	}
	return p.syncDir()
}

var errNoWayBack = errors.New("the file system has no second name for the old content")

// rotateBackups makes the old content backup 1 and moves the others one up. It
// comes before the target is replaced, so that at no instant the old content
// has no name that stays.
func (p *Published) rotateBackups() error {
	s, n := p.stage, p.stage.names
	last := 0
	for last < s.o.Backups {
		_, err := s.st.Lstat(BackupPath(n.target, last+1))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		last++
	}
	for i := last; i >= 1; i-- {
		move, to := p.rename, BackupPath(n.target, i+1)
		if i == s.o.Backups {
			move, to = p.setAside, n.spare // one too many
		}
		if err := move(BackupPath(n.target, i), to); err != nil {
			return err
		}
	}
	if s.o.Directory {
		return nil // there is nothing to be linked yet
	}
	first := BackupPath(n.target, 1)
	if err := s.st.Link(n.oldFile, first); err != nil {
		return err
	}
	p.undo = append(p.undo, func() error { return s.st.Remove(first) })
	return nil
}

// remove removes a hidden name on the way back, where a step further on may have
// done so. If it cannot be removed it is left for the next sweep: it says
// nothing to anybody.
func (p *Published) remove(name string) error {
	_ = p.stage.st.Remove(name)
	return nil
}

// rename renames and remembers the way back.
func (p *Published) rename(from, to string) error {
	st := p.stage.st
	if err := st.Rename(from, to); err != nil {
		return err
	}
	p.undo = append(p.undo, func() error { return errors.Join(st.Rename(to, from), p.syncDirBack()) })
	return nil
}

// setAside renames what was there to a hidden name until Keep.
func (p *Published) setAside(from, hidden string) error {
	err := p.rename(from, hidden)
	if err == nil {
		p.aside = append(p.aside, hidden)
	}
	return err
}

func (p *Published) syncDir() error {
	s := p.stage
	if s.o.SkipSync {
		return nil
	}
	return wrap("sync the directory of", s.names.target, s.st.SyncDir(s.names.dir))
}

// syncDirBack syncs between two steps back. If the disk refuses to sync, going
// back still is right for everybody who looks at the running system, so there
// is no error.
func (p *Published) syncDirBack() error {
	_ = p.syncDir()
	return nil
}

// onFree makes name by create, which needs the name to be free. Under the lock
// a hidden name can only be taken by what a dead writer left.
func (p *Published) onFree(name string, create func() error) error {
	err := create()
	if errors.Is(err, fs.ErrExist) {
		p.stage.st.Remove(name)
		err = create()
	}
	return err
}
