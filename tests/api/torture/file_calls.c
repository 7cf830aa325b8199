/*
 * A library to preload (LD_PRELOAD) into the program. It stands between the program and the kernel in all calls that
 * change files below one directory. It writes a journal of those calls, from which a test builds what a disk may have
 * after a power cut, and makes calls fail on demand.
 *
 *   TORTURE_ROOT      the directory
 *   TORTURE_JOURNAL   the file for the journal; none if not set
 *   TORTURE_FAULTS    a file of `struct faults` that the test writes while the program runs; none if not set
 *
 * One lock covers a call and its entry, so the journal has the order of the calls. Syncs are the exception: an entry
 * before and one after the call, because others go on meanwhile. sync_file_range is not in the journal: it makes
 * nothing durable. The calls themselves go to the kernel by syscall(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The kinds of entries; the reader in journal.rs has the same list. */
enum kind { CREATE = 1, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, SYNC_FAILED, MKDIR, RENAME, UNLINK, RMDIR };

struct entry {
    uint32_t kind;
    uint32_t size; /* of the bytes that follow */
    uint64_t inode;
    uint64_t number; /* the offset of a write, the length after a truncation, the number of a sync */
};

/* Calls until one fails: 0 none, 1 the next one. */
struct faults {
    int32_t writes; /* and all other changes, except syncs */
    int32_t syncs;
    int32_t error;
    int32_t forever; /* whether all later ones fail too */
    int32_t happened;
};

#define INODES (1u << 18)
#define FORGOTTEN (~(uint64_t)0)
/* The lab's AWS is beside the appliance's files. Its disk is another one: it neither fails nor loses anything. */
#define CLOUD "lab-cloud"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int journal = -1;
static volatile struct faults *faults;
static uint64_t inodes[INODES];
static uint64_t syncs;

__attribute__((constructor)) static void begin(void)
{
    const char *directory = getenv("TORTURE_ROOT"), *to = getenv("TORTURE_JOURNAL"), *on = getenv("TORTURE_FAULTS");
    if (directory == NULL || strlen(directory) >= sizeof root) return;
    strcpy(root, directory);
    root_length = strlen(root);
    if (to != NULL) journal = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (on != NULL) {
        int file = syscall(SYS_openat, AT_FDCWD, on, O_RDWR | O_CLOEXEC, 0);
        void *page = file < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (page != MAP_FAILED) faults = page;
    }
}

static void give_up(const char *why)
{
    fprintf(stderr, "file_calls.c: %s\n", why);
    abort();
}

/* The place of an inode in the table, or the free place for it. */
static uint64_t *place_of(uint64_t inode)
{
    uint64_t at = inode * 0x9e3779b97f4a7c15u >> 46;
    for (unsigned n = 0; n < INODES; n++, at = (at + 1) % INODES)
        if (inodes[at] == inode || inodes[at] == 0) return &inodes[at];
    give_up("too many files");
    return NULL;
}

/* The inode of a file or directory below the root; 0 for all other descriptors. */
static uint64_t inode_of(int fd)
{
    struct stat found;
    if (root_length == 0 || fstat(fd, &found) != 0 || !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode))) return 0;
    return *place_of(found.st_ino) == found.st_ino ? found.st_ino : 0;
}

/* The path of a file relative to the root, in `buffer`; NULL if it is elsewhere. */
static const char *relative(int directory, const char *path, char *buffer)
{
    char link[64];
    ssize_t length = 0;
    if (root_length == 0) return NULL;
    if (path[0] != '/') {
        if (directory == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        length = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, PATH_MAX);
        if (length < 0) return NULL;
        buffer[length++] = '/';
    }
    if (length + strlen(path) >= PATH_MAX) return NULL;
    strcpy(buffer + length, path);
    if (strncmp(buffer, root, root_length) != 0) return NULL;
    if (buffer[root_length] == '\0') return buffer + root_length;
    if (buffer[root_length] != '/') return NULL;
    const char *found = buffer + root_length;
    while (*found == '/') found++;
    return strncmp(found, CLOUD, strlen(CLOUD)) == 0 ? NULL : found;
}

static void note(uint32_t kind, uint64_t inode, uint64_t number, const void *bytes, size_t size)
{
    struct entry entry = { kind, size, inode, number };
    struct iovec parts[2] = { { &entry, sizeof entry }, { (void *)bytes, size } };
    if (journal < 0) return;
    if (syscall(SYS_writev, journal, parts, 2) != (long)(sizeof entry + size)) give_up("the journal cannot be written");
}

static void note_path(uint32_t kind, uint64_t inode, const char *path)
{
    note(kind, inode, 0, path, strlen(path));
}

/* Whether this call, a sync or another change, has to fail; sets errno. */
static int fails(int is_sync)
{
    if (faults == NULL) return 0;
    volatile int32_t *left = is_sync ? &faults->syncs : &faults->writes;
    if (*left == 0) return 0;
    if (*left > 1) {
        --*left;
        return 0;
    }
    if (!faults->forever) *left = 0;
    faults->happened++;
    errno = faults->error;
    return 1;
}

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    char buffer[2 * PATH_MAX];
    const char *name = relative(directory, path, buffer);
    struct stat found;
    if (name == NULL) {
        int fd = syscall(SYS_openat, directory, path, flags, mode);
        /* The number may be that of a file which was removed. */
        uint64_t inode = fd >= 0 ? inode_of(fd) : 0;
        if (inode != 0) *place_of(inode) = FORGOTTEN;
        return fd;
    }
    pthread_mutex_lock(&lock);
    int is_new = (flags & O_CREAT) && fstatat(directory, path, &found, AT_SYMLINK_NOFOLLOW) != 0;
    int fd = -1;
    if (!is_new || !fails(0)) fd = syscall(SYS_openat, directory, path, flags, mode);
    int failure = errno;
    if (fd >= 0 && fstat(fd, &found) == 0) {
        *place_of(found.st_ino) = found.st_ino;
        if (is_new) note_path(CREATE, found.st_ino, name);
        else if (flags & O_TRUNC) note(TRUNCATE, found.st_ino, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = failure;
    return fd;
}

#define MODE_OF(flags, mode)                                                                                           \
    mode_t mode = 0;                                                                                                   \
    if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, int);                                                                                      \
        va_end(rest);                                                                                                  \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags, mode)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags, mode)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    MODE_OF(flags, mode)
    return open_at(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...)
{
    MODE_OF(flags, mode)
    return open_at(directory, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return creat(path, mode);
}

/* Makes a write of these parts, at an offset or, with -1, at the position of the descriptor. */
static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset)
{
    uint64_t inode = inode_of(fd);
    if (inode != 0) pthread_mutex_lock(&lock);
    ssize_t written = -1;
    if (inode == 0 || !fails(0)) {
        if (offset >= 0) written = syscall(SYS_pwritev, fd, parts, count, offset, 0);
        else written = syscall(SYS_writev, fd, parts, count);
    }
    int failure = errno;
    if (inode != 0) {
        off_t at = offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR) - written;
        ssize_t left = written;
        for (int n = 0; n < count && left > 0; n++) {
            ssize_t size = (ssize_t)parts[n].iov_len < left ? (ssize_t)parts[n].iov_len : left;
            if (size > 0) note(WRITE, inode, at, parts[n].iov_base, size);
            at += size;
            left -= size;
        }
        pthread_mutex_unlock(&lock);
    }
    errno = failure;
    return written;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    struct iovec part = { (void *)bytes, size };
    if (inode_of(fd) == 0) return syscall(SYS_write, fd, bytes, size);
    return write_parts(fd, &part, 1, -1);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    struct iovec part = { (void *)bytes, size };
    return write_parts(fd, &part, 1, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return pwrite(fd, bytes, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return write_parts(fd, parts, count, -1);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    return write_parts(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return write_parts(fd, parts, count, offset);
}

int ftruncate(int fd, off_t length)
{
    uint64_t inode = inode_of(fd);
    if (inode == 0) return syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    int done = fails(0) ? -1 : syscall(SYS_ftruncate, fd, length), failure = errno;
    if (done == 0) note(TRUNCATE, inode, length, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = failure;
    return done;
}

int ftruncate64(int fd, off64_t length)
{
    return ftruncate(fd, length);
}

static int sync_by(long call, int fd)
{
    uint64_t inode = inode_of(fd);
    if (inode == 0) return syscall(call, fd);
    pthread_mutex_lock(&lock);
    uint64_t number = ++syncs;
    int is_fault = fails(1), failure = errno;
    note(SYNC_BEGIN, inode, number, NULL, 0);
    pthread_mutex_unlock(&lock);
    int done = -1;
    if (!is_fault) {
        done = syscall(call, fd);
        failure = errno;
    }
    pthread_mutex_lock(&lock);
    note(done == 0 ? SYNC_END : SYNC_FAILED, inode, number, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = failure;
    return done;
}

int fsync(int fd)
{
    return sync_by(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_by(SYS_fdatasync, fd);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags)
{
    char one[2 * PATH_MAX], other[2 * PATH_MAX], both[4 * PATH_MAX];
    const char *old = relative(from_directory, from, one), *new = relative(to_directory, to, other);
    pthread_mutex_lock(&lock);
    if ((old == NULL) != (new == NULL)) give_up("a rename into or out of the directory");
    int done = -1;
    if (new == NULL || !fails(0)) done = syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
    int failure = errno;
    if (done == 0 && old != NULL) {
        size_t first = strlen(old) + 1;
        strcpy(both, old);
        strcpy(both + first, new);
        note(RENAME, 0, 0, both, first + strlen(new));
    }
    pthread_mutex_unlock(&lock);
    errno = failure;
    return done;
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    return renameat2(from_directory, from, to_directory, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int directory, const char *path, int flags)
{
    char buffer[2 * PATH_MAX];
    const char *name = relative(directory, path, buffer);
    pthread_mutex_lock(&lock);
    int done = -1;
    if (name == NULL || !fails(0)) done = syscall(SYS_unlinkat, directory, path, flags);
    int failure = errno;
    if (done == 0 && name != NULL) note_path(flags & AT_REMOVEDIR ? RMDIR : UNLINK, 0, name);
    pthread_mutex_unlock(&lock);
    errno = failure;
    return done;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
    char buffer[2 * PATH_MAX];
    const char *name = relative(directory, path, buffer);
    struct stat found;
    pthread_mutex_lock(&lock);
    int done = -1;
    if (name == NULL || !fails(0)) done = syscall(SYS_mkdirat, directory, path, mode);
    int failure = errno;
    if (done == 0 && name != NULL && fstatat(directory, path, &found, AT_SYMLINK_NOFOLLOW) == 0) {
        *place_of(found.st_ino) = found.st_ino;
        note_path(MKDIR, found.st_ino, name);
    }
    pthread_mutex_unlock(&lock);
    errno = failure;
    return done;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

/* Callers write instead where the kernel does not have these. */

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned int flags)
{
    if (inode_of(to) == 0) return syscall(SYS_copy_file_range, from, from_at, to, to_at, size, flags);
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile(int to, int from, off_t *at, size_t size)
{
    if (inode_of(to) == 0) return syscall(SYS_sendfile, to, from, at, size);
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t size)
{
    return sendfile(to, from, at, size);
}

/* What the model does not have must not go unnoticed. */

int fallocate(int fd, int mode, off_t at, off_t size)
{
    if (inode_of(fd) != 0) give_up("fallocate");
    return syscall(SYS_fallocate, fd, mode, at, size);
}

int fallocate64(int fd, int mode, off64_t at, off64_t size)
{
    return fallocate(fd, mode, at, size);
}

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
    char buffer[2 * PATH_MAX];
    if (relative(to_directory, to, buffer) != NULL) give_up("linkat");
    return syscall(SYS_linkat, from_directory, from, to_directory, to, flags);
}
