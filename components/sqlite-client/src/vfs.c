// SQLite's view of the world: the granted folders, the clocks, randomness. All that it asks for goes to WASI directly, so that the component
// imports nothing else.

#include "client.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST 1024 // bytes of a path
#define LINKS 40

// Paths

// The granted folders. They are the instance's for as long as it lives.
static const wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t *folders(void) {
    static wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t found;
    static bool asked;
    if (!asked) {
        wasi_filesystem_preopens_get_directories(&found);
        asked = true;
    }
    return &found;
}

bool find_place(const char *path, place_t *place) {
    const wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t *all = folders();
    for (size_t at = 0; at < all->len; at++) {
        const string_t *target = &all->ptr[at].f1;
        size_t length = target->len == 1 ? 0 : target->len; // none lies in another; of `/` nothing is left
        if (strncmp(path, (const char *)target->ptr, length) != 0 || (path[length] != '/' && path[length] != 0)) {
            continue;
        }
        const char *rest = path[length] == '/' ? path + length + 1 : path + length;
        place->folder = wasi_filesystem_types_borrow_descriptor(all->ptr[at].f0);
        sqlite_client_string_set(&place->path, *rest ? rest : ".");
        return true;
    }
    return false;
}

int sync_folder_of(const char *path) {
    char folder[LONGEST + 1];
    const char *end = strrchr(path, '/');
    size_t length = end && end > path ? (size_t)(end - path) : 1;
    if (length > LONGEST) {
        return SQLITE_IOERR_DIR_FSYNC;
    }
    memcpy(folder, path, length);
    folder[length] = 0;
    place_t place;
    wasi_filesystem_types_own_descriptor_t opened;
    wasi_filesystem_types_error_code_t error;
    if (!find_place(folder, &place) ||
        !wasi_filesystem_types_method_descriptor_open_at(place.folder, WASI_FILESYSTEM_TYPES_PATH_FLAGS_SYMLINK_FOLLOW, &place.path,
                                                         WASI_FILESYSTEM_TYPES_OPEN_FLAGS_DIRECTORY,
                                                         WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ, &opened, &error)) {
        return SQLITE_IOERR_DIR_FSYNC;
    }
    bool done = wasi_filesystem_types_method_descriptor_sync(wasi_filesystem_types_borrow_descriptor(opened), &error);
    wasi_filesystem_types_descriptor_drop_own(opened);
    return done ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

// Appends a path's steps, less those that lead nowhere. `..` stays: the host knows where it leads. False: it is too long.
static bool append(char *out, size_t size, const char *path) {
    size_t end = strlen(out);
    while (*path) {
        size_t step = strcspn(path, "/");
        if (step > 0 && !(step == 1 && *path == '.')) {
            if (end + 1 + step >= size) {
                return false;
            }
            out[end++] = '/';
            memcpy(out + end, path, step);
            out[end += step] = 0;
        }
        path += step + (path[step] == '/');
    }
    return true;
}

// The target of a link; NULL where the path leads to none that may be known.
static char *link_at(const char *path) {
    place_t place;
    string_t target;
    wasi_filesystem_types_error_code_t error;
    if (!find_place(path, &place) || !wasi_filesystem_types_method_descriptor_readlink_at(place.folder, &place.path, &target, &error)) {
        return NULL;
    }
    char *text = need(target.len + 1);
    memcpy(text, target.ptr, target.len);
    text[target.len] = 0;
    sqlite_client_string_free(&target);
    return text;
}

// The one path by which all programs know a database, however it is called: its journal lies beside it.
static int full_pathname(sqlite3_vfs *vfs, const char *path, int size, char *out) {
    (void)vfs;
    out[0] = 0;
    if (!append(out, (size_t)size, path)) {
        return SQLITE_CANTOPEN_FULLPATH;
    }
    int code = SQLITE_OK;
    for (int links = 0; links < LINKS; links++) {
        char *target = link_at(out);
        if (target == NULL) {
            return code;
        }
        code = SQLITE_OK_SYMLINK;
        *(target[0] == '/' ? out : strrchr(out, '/')) = 0;
        bool fits = append(out, (size_t)size, target);
        free(target);
        if (!fits) {
            return SQLITE_CANTOPEN_FULLPATH;
        }
    }
    return SQLITE_CANTOPEN_SYMLINK;
}

// Files

static bool open_place(const place_t *place, int flags, file_t *file, wasi_filesystem_types_error_code_t *error) {
    wasi_filesystem_types_open_flags_t how = 0;
    wasi_filesystem_types_descriptor_flags_t rights = WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ;
    string_t path = place->path;
    if (flags & SQLITE_OPEN_READWRITE) {
        rights |= WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_WRITE;
    }
    if (flags & SQLITE_OPEN_CREATE) {
        how |= WASI_FILESYSTEM_TYPES_OPEN_FLAGS_CREATE;
        how |= flags & SQLITE_OPEN_EXCLUSIVE ? WASI_FILESYSTEM_TYPES_OPEN_FLAGS_EXCLUSIVE : 0;
    }
    return wasi_filesystem_types_method_descriptor_open_at(place->folder, WASI_FILESYSTEM_TYPES_PATH_FLAGS_SYMLINK_FOLLOW, &path, how,
                                                           rights, &file->descriptor, error);
}

static bool is_refusal(wasi_filesystem_types_error_code_t error) {
    return error == WASI_FILESYSTEM_TYPES_ERROR_CODE_NOT_PERMITTED || error == WASI_FILESYSTEM_TYPES_ERROR_CODE_ACCESS ||
           error == WASI_FILESYSTEM_TYPES_ERROR_CODE_READ_ONLY;
}

// Files without a name are temporary ones, which nothing is granted for: SQLite is built to keep such things in memory.
static int open_file(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *base, int flags, int *flags_out) {
    (void)vfs;
    file_t *file = (file_t *)base;
    place_t place;
    *file = (file_t){.path = path};
    if (path == NULL || !find_place(path, &place)) {
        return SQLITE_CANTOPEN;
    }
    wasi_filesystem_types_error_code_t error;
    bool opened = open_place(&place, flags, file, &error);
    if (!opened && (flags & SQLITE_OPEN_READWRITE) && is_refusal(error)) { // what may not be written can be read, perhaps
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
        opened = open_place(&place, flags, file, &error);
    }
    if (!opened) {
        return error == WASI_FILESYSTEM_TYPES_ERROR_CODE_IS_DIRECTORY ? SQLITE_CANTOPEN_ISDIR : SQLITE_CANTOPEN;
    }
    file->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    file->is_new = (flags & SQLITE_OPEN_CREATE) && (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL));
    if (file->is_database && !wasi_filesystem_types_method_descriptor_metadata_hash(
                                 wasi_filesystem_types_borrow_descriptor(file->descriptor), &file->identity, &error)) {
        wasi_filesystem_types_descriptor_drop_own(file->descriptor);
        return SQLITE_CANTOPEN;
    }
    if (flags_out != NULL) {
        *flags_out = flags;
    }
    file->base.pMethods = &file_methods;
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int sync_folder) {
    (void)vfs;
    place_t place;
    wasi_filesystem_types_error_code_t error;
    if (!find_place(path, &place)) {
        return SQLITE_IOERR_DELETE;
    }
    if (!wasi_filesystem_types_method_descriptor_unlink_file_at(place.folder, &place.path, &error)) {
        return error == WASI_FILESYSTEM_TYPES_ERROR_CODE_NO_ENTRY ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
    }
    return sync_folder ? sync_folder_of(path) : SQLITE_OK;
}

// An empty file counts as none. Where it may not be known whether there is one, nothing goes on: what a hot journal would have rolled back
// must not be read.
static int access_file(sqlite3_vfs *vfs, const char *path, int flags, int *answer) {
    (void)vfs, (void)flags;
    place_t place;
    wasi_filesystem_types_descriptor_stat_t status;
    wasi_filesystem_types_error_code_t error;
    *answer = 0;
    if (!find_place(path, &place)) {
        return SQLITE_OK;
    }
    if (wasi_filesystem_types_method_descriptor_stat_at(place.folder, WASI_FILESYSTEM_TYPES_PATH_FLAGS_SYMLINK_FOLLOW, &place.path, &status,
                                                        &error)) {
        *answer = status.type != WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_REGULAR_FILE || status.size > 0;
        return SQLITE_OK;
    }
    return error == WASI_FILESYSTEM_TYPES_ERROR_CODE_NO_ENTRY ? SQLITE_OK : SQLITE_IOERR_ACCESS;
}

// The rest of the world

static int randomness(sqlite3_vfs *vfs, int amount, char *out) {
    (void)vfs;
    bytes_t bytes;
    wasi_random_random_get_random_bytes((uint64_t)amount, &bytes);
    size_t length = bytes.len < (size_t)amount ? bytes.len : (size_t)amount;
    memcpy(out, bytes.ptr, length);
    sqlite_client_list_u8_free(&bytes);
    return (int)length;
}

static int sleep_for(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    wasi_clocks_monotonic_clock_own_pollable_t timer = wasi_clocks_monotonic_clock_subscribe_duration((uint64_t)microseconds * 1000);
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(timer));
    wasi_io_poll_pollable_drop_own(timer);
    return microseconds;
}

#define EPOCH 210866760000000 // milliseconds from where SQLite counts days (noon, 24 November 4714 BC) to 1970

static int current_milliseconds(sqlite3_vfs *vfs, sqlite3_int64 *now) {
    (void)vfs;
    wasi_clocks_wall_clock_datetime_t time;
    wasi_clocks_wall_clock_now(&time);
    *now = EPOCH + (sqlite3_int64)time.seconds * 1000 + time.nanoseconds / 1000000;
    return SQLITE_OK;
}

static int current_days(sqlite3_vfs *vfs, double *now) {
    sqlite3_int64 milliseconds;
    current_milliseconds(vfs, &milliseconds);
    *now = (double)milliseconds / 86400000.0;
    return SQLITE_OK;
}

static int last_error(sqlite3_vfs *vfs, int size, char *out) {
    (void)vfs, (void)size, (void)out;
    return 0; // the host's denials say what there is to say
}

int sqlite3_os_init(void) {
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(file_t),
        .mxPathname = LONGEST,
        .zName = "ringfence",
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = full_pathname,
        .xRandomness = randomness,
        .xSleep = sleep_for,
        .xCurrentTime = current_days,
        .xGetLastError = last_error,
        .xCurrentTimeInt64 = current_milliseconds,
    };
    return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void) {
    return SQLITE_OK;
}
