// SQLite's files, as descriptors of wasi:filesystem: `sqlite3_io_methods`.

#include "client.h"

#include <string.h>

#define FILE_OF(base) ((file_t *)(base))
#define DESCRIPTOR(file) wasi_filesystem_types_borrow_descriptor((file)->descriptor)

#define SECTOR 4096 // what others' SQLite takes for one on a disk; it stands in journals

static int close_file(sqlite3_file *base) {
    wasi_filesystem_types_descriptor_drop_own(FILE_OF(base)->descriptor); // and with it its locks
    return SQLITE_OK;
}

// Whether these bytes, from the start of a database, say that it has a write-ahead log (SQLite's file format, 1.3.3).
static bool says_log(const uint8_t *header) {
    return memcmp(header, "SQLite format 3", 16) == 0 && header[19] == 2;
}

static int read_file(sqlite3_file *base, void *buffer, int amount, sqlite3_int64 offset) {
    file_t *file = FILE_OF(base);
    size_t found = 0, wanted = (size_t)amount;
    bool ended = false;
    while (found < wanted && !ended) {
        sqlite_client_tuple2_list_u8_bool_t piece;
        wasi_filesystem_types_error_code_t error;
        if (!wasi_filesystem_types_method_descriptor_read(DESCRIPTOR(file), wanted - found, (uint64_t)offset + found, &piece, &error)) {
            return SQLITE_IOERR_READ;
        }
        size_t length = piece.f0.len < wanted - found ? piece.f0.len : wanted - found;
        if (length > 0) {
            memcpy((char *)buffer + found, piece.f0.ptr, length);
        }
        found += length;
        ended = piece.f1 || length == 0;
        sqlite_client_list_u8_free(&piece.f0);
    }
    if (file->is_database && offset == 0 && found >= 20) {
        file->has_log = says_log(buffer);
    }
    if (found < wanted) {
        memset((char *)buffer + found, 0, wanted - found); // SQLite asks for that
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

static int write_file(sqlite3_file *base, const void *buffer, int amount, sqlite3_int64 offset) {
    size_t done = 0, wanted = (size_t)amount;
    while (done < wanted) {
        bytes_t piece = {.ptr = (uint8_t *)buffer + done, .len = wanted - done};
        wasi_filesystem_types_filesize_t taken = 0;
        wasi_filesystem_types_error_code_t error;
        if (!wasi_filesystem_types_method_descriptor_write(DESCRIPTOR(FILE_OF(base)), &piece, (uint64_t)offset + done, &taken, &error)) {
            bool full = error == WASI_FILESYSTEM_TYPES_ERROR_CODE_INSUFFICIENT_SPACE || error == WASI_FILESYSTEM_TYPES_ERROR_CODE_QUOTA ||
                        error == WASI_FILESYSTEM_TYPES_ERROR_CODE_FILE_TOO_LARGE;
            return full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        }
        if (taken == 0) {
            return SQLITE_FULL;
        }
        done += (size_t)taken;
    }
    return SQLITE_OK;
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size) {
    wasi_filesystem_types_error_code_t error;
    bool done = wasi_filesystem_types_method_descriptor_set_size(DESCRIPTOR(FILE_OF(base)), (uint64_t)size, &error);
    return done ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

// What was written is on the disk afterwards, and so is the name of a file that was made: a journal that nobody finds rolls nothing back.
static int sync_file(sqlite3_file *base, int flags) {
    (void)flags;
    file_t *file = FILE_OF(base);
    wasi_filesystem_types_error_code_t error;
    if (!wasi_filesystem_types_method_descriptor_sync_data(DESCRIPTOR(file), &error)) {
        return SQLITE_IOERR_FSYNC;
    }
    if (file->is_new) {
        file->is_new = false;
        return sync_folder_of(file->path);
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size) {
    wasi_filesystem_types_descriptor_stat_t status;
    wasi_filesystem_types_error_code_t error;
    if (!wasi_filesystem_types_method_descriptor_stat(DESCRIPTOR(FILE_OF(base)), &status, &error)) {
        return SQLITE_IOERR_FSTAT;
    }
    *size = (sqlite3_int64)status.size;
    return SQLITE_OK;
}

// Whether its name leads to another file by now, or to none: then what is written is lost.
static bool has_moved(const file_t *file) {
    place_t place;
    wasi_filesystem_types_metadata_hash_value_t now;
    wasi_filesystem_types_error_code_t error;
    bool found = find_place(file->path, &place) &&
                 wasi_filesystem_types_method_descriptor_metadata_hash_at(
                     place.folder, WASI_FILESYSTEM_TYPES_PATH_FLAGS_SYMLINK_FOLLOW, &place.path, &now, &error);
    return !found || now.lower != file->identity.lower || now.upper != file->identity.upper;
}

static int control_file(sqlite3_file *base, int operation, void *argument) {
    file_t *file = FILE_OF(base);
    switch (operation) {
    case SQLITE_FCNTL_LOCKSTATE:
        *(int *)argument = file->level;
        return SQLITE_OK;
    case SQLITE_FCNTL_HAS_MOVED:
        *(int *)argument = file->is_database && has_moved(file);
        return SQLITE_OK;
    case FCNTL_HAS_LOG:
        *(bool *)argument = file->has_log;
        return SQLITE_OK;
    default:
        return SQLITE_NOTFOUND;
    }
}

static int sector_size(sqlite3_file *base) {
    (void)base;
    return SECTOR;
}

static int characteristics(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; // as others' SQLite takes it on this kind of system
}

const sqlite3_io_methods file_methods = {
    .iVersion = 1, // no memory is shared: no write-ahead log
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};
