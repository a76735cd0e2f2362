/*
 * A power cut for one folder, without pulling the plug.
 *
 * Preloaded into a process, this library keeps an image of the folder POWERCUT_ROOT as a disk would have it: a file's
 * bytes get there when the file is synced, a name when its folder is synced (or with the first sync of a new file). Kill
 * the process at any moment, and what is in the image is what a power cut at that moment would have left. The README
 * beside this file has the rules and the limits.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
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
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))
#define BLOCK 4096

/* A file under the root: which of its blocks differ from the image. */
struct file {
    struct file *next;
    ino_t ino;
    int all;    /* Nobody knows which blocks differ: at first sight, and for ever once mapped writable. */
    int mapped;
    size_t blocks;
    uint8_t *dirty;
};

static char root[PATH_MAX], tree[PATH_MAX], data[PATH_MAX];
static dev_t device;
static long failing_sync; /* Counts down; the sync that reaches 0 fails, as do all after it. */
static struct file *files[1024];
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static void die(const char *what) {
    /* A test that goes on with a wrong image would prove nothing. */
    fprintf(stderr, "powercut: %s: %s\n", what, strerror(errno));
    _exit(86);
}

static char *join(char *out, const char *folder, const char *name) {
    if (snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) die("path too long");
    return out;
}

static char *data_of(char *out, ino_t ino) {
    char name[32];
    snprintf(name, sizeof name, "%lu", (unsigned long)ino);
    return join(out, data, name);
}

/* The path of an open file below the root, or NULL. */
static const char *below_root(int fd, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, buffer, PATH_MAX - 1);
    size_t root_len = strlen(root);
    if (len < 0) return NULL;
    buffer[len] = 0;
    if (strncmp(buffer, root, root_len) || (buffer[root_len] && buffer[root_len] != '/')) return NULL;
    return buffer + root_len + (buffer[root_len] == '/');
}

static struct file *find(ino_t ino) {
    struct file *file = files[ino % 1024];
    while (file && file->ino != ino) file = file->next;
    return file;
}

/* The file behind a descriptor, if it is one of ours. */
static struct file *file_of(int fd) {
    struct stat st;
    if (!*root || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_dev != device) return NULL;
    return find(st.st_ino);
}

static void mark(struct file *file, off_t from, off_t to) {
    if (to <= from) return;
    size_t first = from / BLOCK, last = (to - 1) / BLOCK;
    if (last >= file->blocks) {
        size_t blocks = (last + 1) * 2;
        if (!(file->dirty = realloc(file->dirty, blocks))) die("memory");
        memset(file->dirty + file->blocks, 0, blocks - file->blocks);
        file->blocks = blocks;
    }
    memset(file->dirty + first, 1, last - first + 1);
}

static void make_parents(char *path) {
    for (char *at = path + strlen(tree) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        if (mkdir(path, 0700) && errno != EEXIST) die(path);
        *at = '/';
    }
}

/* Gives the image's copy of a file the name it has, in place of whatever had it. */
static void give_name(ino_t ino, const char *below) {
    char from[PATH_MAX], to[PATH_MAX], aside[PATH_MAX];
    make_parents(join(to, tree, below));
    join(aside, data, "new-name");
    unlink(aside);
    if (link(data_of(from, ino), aside) || rename(aside, to)) die(to);
    unlink(aside); /* Renaming onto the same file leaves both. */
}

static void copy(int from, int to, off_t at, off_t end) {
    static char buffer[64 * BLOCK];
    while (at < end) {
        size_t want = end - at < (off_t)sizeof buffer ? (size_t)(end - at) : sizeof buffer;
        ssize_t got = pread(from, buffer, want, at);
        if (got <= 0 || REAL(pwrite)(to, buffer, got, at) != got) die("copy");
        at += got;
    }
}

static int open_data(ino_t ino) {
    char path[PATH_MAX];
    int fd = REAL(open)(data_of(path, ino), O_RDWR | O_CREAT, 0600);
    if (fd < 0) die(path);
    return fd;
}

static void sync_file(int fd, struct file *file) {
    char link[64], buffer[PATH_MAX];
    struct stat now, image;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int from = REAL(open)(link, O_RDONLY), to = open_data(file->ino);
    if (from < 0 || fstat(from, &now) || REAL(ftruncate)(to, now.st_size)) die("sync");
    if (file->all || file->mapped) copy(from, to, 0, now.st_size);
    else
        for (size_t at = 0, end; at < file->blocks; at = end + 1) {
            for (end = at; end < file->blocks && file->dirty[end]; end++) {}
            off_t stop = (off_t)end * BLOCK < now.st_size ? (off_t)end * BLOCK : now.st_size;
            if (end > at) copy(from, to, (off_t)at * BLOCK, stop);
        }
    memset(file->dirty, 0, file->blocks);
    file->all = 0;
    const char *below = now.st_nlink ? below_root(fd, buffer) : NULL;
    /* A new file gets its name with its first sync; a later rename only with the folder's. */
    if (!fstat(to, &image) && image.st_nlink == 1 && below) give_name(file->ino, below);
    close(from);
    close(to);
}

/* The names in a folder get there: those it has, and none that it no longer has. */
static void sync_folder(const char *below) {
    char here[PATH_MAX], there[PATH_MAX], path[PATH_MAX], name[PATH_MAX];
    struct dirent *entry;
    struct stat ours, image;
    join(here, root, below);
    join(there, tree, below);
    make_parents(join(path, there, "x"));
    DIR *folder = opendir(there);
    while (folder && (entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && lstat(join(path, here, entry->d_name), &ours))
            if (unlink(join(path, there, entry->d_name)) && errno == EISDIR) rmdir(path);
    if (folder) closedir(folder);
    if (!(folder = opendir(here))) die(here);
    while ((entry = readdir(folder))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (lstat(join(path, here, entry->d_name), &ours)) continue;
        join(name, there, entry->d_name);
        if (S_ISDIR(ours.st_mode)) mkdir(name, 0700);
        if (!S_ISREG(ours.st_mode)) continue;
        /* A file that was never synced has its name, and nothing in it. */
        int fd = open_data(ours.st_ino);
        struct stat copied;
        if (!fstat(fd, &copied) && (lstat(name, &image) || image.st_ino != copied.st_ino))
            give_name(ours.st_ino, *below ? name + strlen(tree) + 1 : entry->d_name);
        close(fd);
    }
    closedir(folder);
}

/* What is there at the start is on the disk. */
static void take_all(const char *below) {
    char here[PATH_MAX], path[PATH_MAX], deeper[PATH_MAX];
    struct dirent *entry;
    struct stat st;
    DIR *folder = opendir(join(here, root, below));
    if (!folder) die(here);
    while ((entry = readdir(folder))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (lstat(join(path, here, entry->d_name), &st)) die(path);
        if (*below) join(deeper, below, entry->d_name);
        else snprintf(deeper, sizeof deeper, "%s", entry->d_name);
        if (S_ISDIR(st.st_mode)) {
            make_parents(join(path, tree, deeper));
            mkdir(path, 0700);
            take_all(deeper);
        } else if (S_ISREG(st.st_mode)) {
            int from = REAL(open)(path, O_RDONLY), to = open_data(st.st_ino);
            if (from < 0 || REAL(ftruncate)(to, 0)) die(path);
            copy(from, to, 0, st.st_size);
            give_name(st.st_ino, deeper);
            close(from);
            close(to);
        }
    }
    closedir(folder);
}

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("POWERCUT_ROOT"), *image = getenv("POWERCUT_IMAGE"), *failing = getenv("POWERCUT_FAIL_SYNC");
    struct stat st;
    if (!folder || !image) return;
    failing_sync = failing ? atol(failing) : 0;
    join(tree, image, "tree");
    join(data, image, "data");
    mkdir(image, 0700);
    mkdir(data, 0700);
    int fresh = !mkdir(tree, 0700);
    if (!realpath(folder, root) || stat(root, &st)) die(folder);
    device = st.st_dev;
    if (fresh) take_all("");
}

/* `existed`: whether the name was there before it was opened. */
static int opened(int fd, int existed, int flags) {
    char buffer[PATH_MAX], path[PATH_MAX];
    struct stat st;
    if (fd < 0 || !*root || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_dev != device) return fd;
    if (!below_root(fd, buffer)) return fd;
    struct file *file = find(st.st_ino);
    if (!file) {
        if (!(file = calloc(1, sizeof *file))) die("memory");
        file->ino = st.st_ino;
        file->all = existed;
        file->next = files[st.st_ino % 1024];
        files[st.st_ino % 1024] = file;
    }
    if (!existed && flags & O_CREAT) {
        /* The number of a file that is gone is given again; the image's copy of the old one keeps its name, if any. */
        unlink(data_of(path, st.st_ino));
        file->all = file->mapped = 0;
        if (file->dirty) memset(file->dirty, 0, file->blocks);
    }
    if (flags & O_TRUNC) file->all = 1;
    return fd;
}

static int open_by(int folder, const char *path, int flags, mode_t mode) {
    struct stat st;
    int error;
    pthread_mutex_lock(&lock);
    int existed = !(flags & O_CREAT) || !*root || !fstatat(folder, path, &st, 0);
    int fd = REAL(openat)(folder, path, flags, mode);
    error = errno;
    opened(fd, existed, flags);
    errno = error;
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags, mode)                                       \
    mode_t mode = 0;                                            \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list rest;                                           \
        va_start(rest, flags);                                  \
        mode = va_arg(rest, mode_t);                            \
        va_end(rest);                                           \
    }

int open(const char *path, int flags, ...) { MODE(flags, mode) return open_by(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return open_by(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags, mode) return open_by(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags, mode) return open_by(folder, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_by(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* Does `call`, and marks what it wrote: up to the file's position, or from `at`. */
#define WRITES(call, at)                                             \
    pthread_mutex_lock(&lock);                                       \
    ssize_t done = call;                                             \
    int error = errno;                                               \
    struct file *file = done > 0 ? file_of(fd) : NULL;               \
    if (file) {                                                      \
        off_t begin = at;                                            \
        mark(file, begin, begin + done);                             \
    }                                                                \
    errno = error;                                                   \
    pthread_mutex_unlock(&lock);                                     \
    return done;
#define BEHIND (lseek(fd, 0, SEEK_CUR) - done)

ssize_t write(int fd, const void *from, size_t len) { WRITES(REAL(write)(fd, from, len), BEHIND) }
ssize_t writev(int fd, const struct iovec *from, int count) { WRITES(REAL(writev)(fd, from, count), BEHIND) }
ssize_t pwrite(int fd, const void *from, size_t len, off_t at) { WRITES(REAL(pwrite)(fd, from, len, at), at) }
ssize_t pwrite64(int fd, const void *from, size_t len, off_t at) { WRITES(REAL(pwrite)(fd, from, len, at), at) }
ssize_t pwritev(int fd, const struct iovec *from, int count, off_t at) { WRITES(REAL(pwritev)(fd, from, count, at), at) }
ssize_t pwritev64(int fd, const struct iovec *from, int count, off_t at) { WRITES(REAL(pwritev)(fd, from, count, at), at) }

/* Does `call`, after which nobody knows which blocks differ. */
#define CHANGES(type, call, which)              \
    pthread_mutex_lock(&lock);                  \
    type done = call;                           \
    int error = errno;                          \
    struct file *file = file_of(which);         \
    if (file) file->all = 1;                    \
    errno = error;                              \
    pthread_mutex_unlock(&lock);                \
    return done;

int ftruncate(int fd, off_t size) { CHANGES(int, REAL(ftruncate)(fd, size), fd) }
int ftruncate64(int fd, off_t size) { CHANGES(int, REAL(ftruncate)(fd, size), fd) }
int fallocate(int fd, int mode, off_t at, off_t len) { CHANGES(int, REAL(fallocate)(fd, mode, at, len), fd) }
int fallocate64(int fd, int mode, off_t at, off_t len) { CHANGES(int, REAL(fallocate)(fd, mode, at, len), fd) }
ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t len, unsigned flags) {
    CHANGES(ssize_t, REAL(copy_file_range)(from, from_at, to, to_at, len, flags), to)
}
ssize_t sendfile(int to, int from, off_t *at, size_t len) {
    CHANGES(ssize_t, ((ssize_t(*)(int, int, off_t *, size_t))real("sendfile"))(to, from, at, len), to)
}
ssize_t sendfile64(int to, int from, off_t *at, size_t len) { return sendfile(to, from, at, len); }

void *mmap(void *where, size_t len, int protection, int flags, int fd, off_t at) {
    void *done = REAL(mmap)(where, len, protection, flags, fd, at);
    if (*root && fd >= 0 && flags & MAP_SHARED && protection & PROT_WRITE) {
        pthread_mutex_lock(&lock);
        struct file *file = file_of(fd);
        if (file) file->mapped = 1;
        pthread_mutex_unlock(&lock);
    }
    return done;
}
void *mmap64(void *where, size_t len, int protection, int flags, int fd, off_t at) {
    return mmap(where, len, protection, flags, fd, at);
}

static int sync_any(int fd, int (*really)(int)) {
    char buffer[PATH_MAX];
    struct stat st;
    const char *below = *root ? below_root(fd, buffer) : NULL;
    if (!below || fstat(fd, &st)) return really(fd);
    int done = 0;
    pthread_mutex_lock(&lock);
    struct file *file = file_of(fd);
    if (failing_sync > 0 && --failing_sync == 0) failing_sync = -1;
    if (failing_sync < 0) {
        errno = EIO;
        done = -1;
    } else if (S_ISDIR(st.st_mode)) sync_folder(below);
    else if (file) sync_file(fd, file);
    else done = really(fd);
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int fd) { return sync_any(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_any(fd, REAL(fdatasync)); }
