/* Stands between a process and its disk (LD_PRELOAD): counts the steps of every write below a folder, and lets the disk be full, read-only,
 * failing or slow, or kills the process before a step. A step is a call that changes what is on the disk: write, truncate, allocate, sync,
 * create, rename, link, unlink, mkdir, rmdir.
 *
 * MOODIFY_FAULTS_DISK names the file of the levers (struct levers, shared by all processes), MOODIFY_FAULTS_UNDER the folder.
 * Every other file is left alone, and so is everything while the levers are not there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WELL, FULL, READ_ONLY, FAILING, SLOW, KILL };
struct levers {
  _Atomic int64_t does;    /* one of the above */
  _Atomic int64_t steps;   /* how many there were */
  _Atomic int64_t at;      /* KILL: before which step, from 1 */
  _Atomic int64_t wait_us; /* SLOW: how long each step takes */
  _Atomic int64_t pid;     /* whose steps count; 0: everybody's */
  _Atomic int64_t room;    /* FULL: how many bytes are left; what is deleted gives its own back */
};

#define FILES 65536
static _Atomic unsigned char watched[FILES];
static char under[PATH_MAX];
static size_t under_length;
static struct levers *levers;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("MOODIFY_FAULTS_DISK"), *folder = getenv("MOODIFY_FAULTS_UNDER");
  if (!file || !folder || strlen(folder) >= sizeof under) return;
  strcpy(under, folder);
  under_length = strlen(under);
  int handle = REAL(open)(file, O_RDWR | O_CLOEXEC);
  if (handle < 0) return;
  void *shared = mmap(NULL, sizeof *levers, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
  close(handle);
  if (shared != MAP_FAILED) levers = shared;
}

static int is_under(const char *path) {
  return levers && path && !strncmp(path, under, under_length) && (path[under_length] == '/' || path[under_length] == 0);
}

/* What a new name takes of a full disk, in bytes. */
#define NAME 512

/* Takes a step; -1 with errno where the disk refuses. bytes: how many it takes; changes: whether a disk that can only be read refuses it. */
static int step(size_t bytes, int changes) {
  if (levers->pid && levers->pid != getpid()) {
    if (levers->does == KILL) return 0;
  } else if (++levers->steps == levers->at && levers->does == KILL) {
    kill(getpid(), SIGKILL);
  }
  switch (levers->does) {
    case FULL:
      if (!bytes) break;
      if (levers->room < (int64_t)bytes) { errno = ENOSPC; return -1; }
      levers->room -= (int64_t)bytes;
      break;
    case READ_ONLY: if (changes) { errno = EROFS; return -1; } break;
    case FAILING: errno = EIO; return -1;
    case SLOW: usleep((useconds_t)levers->wait_us); break;
    default: break;
  }
  return 0;
}

static int is_watched(int file) { return levers && file >= 0 && file < FILES && watched[file]; }

static int opened(const char *path, int flags, mode_t mode, int folder, int (*do_open)(int, const char *, int, mode_t)) {
  int ours = is_under(path);
  if (ours && (flags & (O_CREAT | O_TRUNC)) && access(path, F_OK) && step(NAME, 1)) return -1;
  if (ours && levers->does == READ_ONLY && (flags & O_ACCMODE) != O_RDONLY) { errno = EROFS; return -1; }
  int file = do_open(folder, path, flags, mode);
  if (file >= 0 && file < FILES && levers) watched[file] = (unsigned char)ours;
  return file;
}
static int by_openat(int folder, const char *path, int flags, mode_t mode) { return REAL(openat)(folder, path, flags, mode); }
#define MODE_OF(flags) mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
int open(const char *path, int flags, ...) { MODE_OF(flags) return opened(path, flags, mode, AT_FDCWD, by_openat); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return opened(path, flags, mode, AT_FDCWD, by_openat); }
int __open_2(const char *path, int flags) { return opened(path, flags, 0, AT_FDCWD, by_openat); }
int __open64_2(const char *path, int flags) { return opened(path, flags, 0, AT_FDCWD, by_openat); }
int openat(int folder, const char *path, int flags, ...) { MODE_OF(flags) return opened(path, flags, mode, folder, by_openat); }
int openat64(int folder, const char *path, int flags, ...) { MODE_OF(flags) return opened(path, flags, mode, folder, by_openat); }
int close(int file) {
  if (file >= 0 && file < FILES) watched[file] = 0;
  return REAL(close)(file);
}

#define ON_FILE(type, name, parameters, arguments, bytes, changes) \
  type name parameters { return is_watched(file) && step(bytes, changes) ? -1 : REAL(name) arguments; }
ON_FILE(ssize_t, write, (int file, const void *data, size_t count), (file, data, count), count, 1)
ON_FILE(ssize_t, pwrite, (int file, const void *data, size_t count, off_t at), (file, data, count, at), count, 1)
ON_FILE(ssize_t, pwrite64, (int file, const void *data, size_t count, off64_t at), (file, data, count, at), count, 1)
static size_t bytes_of(const struct iovec *parts, int count) {
  size_t bytes = 0;
  while (count-- > 0) bytes += parts[count].iov_len;
  return bytes;
}
ON_FILE(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count), bytes_of(parts, count), 1)
ON_FILE(int, ftruncate, (int file, off_t length), (file, length), 0, 1)
ON_FILE(int, ftruncate64, (int file, off64_t length), (file, length), 0, 1)
ON_FILE(int, fsync, (int file), (file), 0, 0)
ON_FILE(int, fdatasync, (int file), (file), 0, 0)
/* These say what is wrong by what they return. */
int posix_fallocate(int file, off_t at, off_t length) { return is_watched(file) && step((size_t)length, 1) ? errno : REAL(posix_fallocate)(file, at, length); }
int posix_fallocate64(int file, off64_t at, off64_t length) { return is_watched(file) && step((size_t)length, 1) ? errno : REAL(posix_fallocate64)(file, at, length); }

#define ON_PATH(name, parameters, arguments, path, bytes) \
  int name parameters { return is_under(path) && step(bytes, 1) ? -1 : REAL(name) arguments; }
ON_PATH(rename, (const char *from, const char *to), (from, to), to, 0)
ON_PATH(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), to, 0)
ON_PATH(link, (const char *from, const char *to), (from, to), to, 0)
ON_PATH(linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags), to, 0)
ON_PATH(symlink, (const char *from, const char *to), (from, to), to, NAME)
int unlink(const char *path) {
  struct stat found;
  int ours = is_under(path), there = ours && !stat(path, &found);
  if (ours && step(0, 1)) return -1;
  int done = REAL(unlink)(path);
  if (!done && there) levers->room += found.st_size;
  return done;
}
ON_PATH(unlinkat, (int folder, const char *path, int flags), (folder, path, flags), path, 0)
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode), path, NAME)
ON_PATH(rmdir, (const char *path), (path), path, 0)

/* How much is free. */
#define ON_SPACE(name, type, key, is_ours) \
  int name(type key, struct statvfs *found) { \
    int done = REAL(name)(key, found); \
    if (!done && is_ours(key) && levers->does == FULL) found->f_bavail = found->f_bfree = (fsblkcnt_t)levers->room / found->f_frsize; \
    return done; \
  }
ON_SPACE(statvfs, const char *, path, is_under)
ON_SPACE(fstatvfs, int, file, is_watched)
int statvfs64(const char *path, struct statvfs64 *found) {
  int done = REAL(statvfs64)(path, found);
  if (!done && is_under(path) && levers->does == FULL) found->f_bavail = found->f_bfree = (fsblkcnt_t)levers->room / found->f_frsize;
  return done;
}
int fstatvfs64(int file, struct statvfs64 *found) {
  int done = REAL(fstatvfs64)(file, found);
  if (!done && is_watched(file) && levers->does == FULL) found->f_bavail = found->f_bfree = (fsblkcnt_t)levers->room / found->f_frsize;
  return done;
}
