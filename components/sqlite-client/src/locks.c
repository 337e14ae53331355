// SQLite's five states of a lock, as the three ranges of bytes that all programs' SQLite locks: the host takes those for us, and sees theirs.
// Source: SQLite's "File Locking And Concurrency", and its file format, 1.4.

#include "client.h"

#define FILE_OF(base) ((file_t *)(base))

typedef enum { PENDING, RESERVED, SHARED } which_t;

static const ringfence_files_lock_range_t ranges[] = {
    [PENDING] = {.start = 0x40000000, .length = 1},
    [RESERVED] = {.start = 0x40000001, .length = 1},
    [SHARED] = {.start = 0x40000002, .length = 510},
};

#define FOR_READING RINGFENCE_FILES_LOCK_MODE_SHARED
#define ALONE RINGFENCE_FILES_LOCK_MODE_EXCLUSIVE

static int code_for(wasi_filesystem_types_error_code_t error, int otherwise) {
    switch (error) {
    case WASI_FILESYSTEM_TYPES_ERROR_CODE_WOULD_BLOCK:
        return SQLITE_BUSY;
    case WASI_FILESYSTEM_TYPES_ERROR_CODE_NOT_PERMITTED:
        return SQLITE_PERM;
    case WASI_FILESYSTEM_TYPES_ERROR_CODE_UNSUPPORTED: // the host's system has no such locks
        return SQLITE_PROTOCOL;
    default:
        return otherwise;
    }
}

static int take(file_t *file, which_t which, ringfence_files_lock_mode_t mode) {
    ringfence_files_lock_range_t range = ranges[which];
    ringfence_files_lock_error_code_t error;
    if (!ringfence_files_lock_acquire(wasi_filesystem_types_borrow_descriptor(file->descriptor), &range, mode, &error)) {
        return code_for(error, mode == FOR_READING ? SQLITE_IOERR_RDLOCK : SQLITE_IOERR_LOCK);
    }
    file->held |= 1 << which;
    return SQLITE_OK;
}

static int let_go(file_t *file, which_t which) {
    ringfence_files_lock_range_t range = ranges[which];
    ringfence_files_lock_error_code_t error;
    if ((file->held & 1 << which) == 0) {
        return SQLITE_OK;
    }
    file->held &= ~(1 << which);
    bool done = ringfence_files_lock_release(wasi_filesystem_types_borrow_descriptor(file->descriptor), &range, &error);
    return done ? SQLITE_OK : SQLITE_IOERR_UNLOCK;
}

static int look(file_t *file, which_t which, bool *locked) {
    ringfence_files_lock_range_t range = ranges[which];
    ringfence_files_lock_error_code_t error;
    bool told = ringfence_files_lock_is_locked(wasi_filesystem_types_borrow_descriptor(file->descriptor), &range, FOR_READING, locked, &error);
    return told ? SQLITE_OK : code_for(error, SQLITE_IOERR_CHECKRESERVEDLOCK);
}

// A reader stays out while a writer waits for readers to end. Others take the pending byte for that and let it go again, for one step more;
// whoever slips in between here keeps the writer waiting a little longer, no more.
static int begin_reading(file_t *file) {
    bool awaited = false;
    int code = look(file, PENDING, &awaited);
    if (code == SQLITE_OK && awaited) {
        code = SQLITE_BUSY;
    }
    return code == SQLITE_OK ? take(file, SHARED, FOR_READING) : code;
}

// From reserved by way of pending, where it stays until all readers have ended; or, to roll back what another left behind, at once.
static int begin_writing(file_t *file) {
    if (file->level == SQLITE_LOCK_RESERVED) {
        int code = take(file, PENDING, ALONE);
        if (code != SQLITE_OK) {
            return code;
        }
        file->level = SQLITE_LOCK_PENDING;
    }
    return take(file, SHARED, ALONE);
}

int lock_file(sqlite3_file *base, int level) {
    file_t *file = FILE_OF(base);
    if (file->level >= level) {
        return SQLITE_OK;
    }
    int code = level == SQLITE_LOCK_SHARED     ? begin_reading(file)
               : level == SQLITE_LOCK_RESERVED ? take(file, RESERVED, ALONE)
                                               : begin_writing(file);
    if (code == SQLITE_OK) {
        file->level = (uint8_t)level;
    }
    return code;
}

int unlock_file(sqlite3_file *base, int level) {
    file_t *file = FILE_OF(base);
    if (file->level <= level) {
        return SQLITE_OK;
    }
    int code = SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED && file->level > SQLITE_LOCK_RESERVED && take(file, SHARED, FOR_READING) != SQLITE_OK) {
        code = SQLITE_IOERR_RDLOCK;
    }
    for (which_t which = PENDING; which <= RESERVED; which++) {
        int found = let_go(file, which);
        code = code == SQLITE_OK ? found : code;
    }
    if (level == SQLITE_LOCK_NONE) {
        int found = let_go(file, SHARED);
        code = code == SQLITE_OK ? found : code;
    }
    file->level = (uint8_t)level;
    return code;
}

int check_reserved(sqlite3_file *base, int *answer) {
    file_t *file = FILE_OF(base);
    bool locked = file->level >= SQLITE_LOCK_RESERVED;
    int code = locked ? SQLITE_OK : look(file, RESERVED, &locked);
    *answer = locked;
    return code;
}
