// A guest that locks what it is told to, and whose handles are whatever it is told.

#include "locker.h"

typedef exports_test_locker_attempts_bytes_t bytes_t;

static wasi_filesystem_types_borrow_descriptor_t told(int32_t handle) {
    return (wasi_filesystem_types_borrow_descriptor_t){handle};
}

static ringfence_files_lock_mode_t mode(bool exclusive) {
    return exclusive ? RINGFENCE_FILES_LOCK_MODE_EXCLUSIVE : RINGFENCE_FILES_LOCK_MODE_SHARED;
}

static wasi_filesystem_types_borrow_descriptor_t folder(void) {
    static wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t found;
    if (found.ptr == NULL) {
        wasi_filesystem_preopens_get_directories(&found);
    }
    return wasi_filesystem_types_borrow_descriptor(found.ptr[0].f0);
}

bool exports_test_locker_attempts_open(locker_string_t *path, int32_t *ret, uint8_t *err) {
    wasi_filesystem_types_own_descriptor_t file;
    bool opened = wasi_filesystem_types_method_descriptor_open_at(
        folder(), 0, path, 0, WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ | WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_WRITE, &file, err);
    locker_string_free(path);
    *ret = file.__handle;
    return opened;
}

bool exports_test_locker_attempts_lock(int32_t handle, bytes_t *range, bool exclusive, uint8_t *err) {
    ringfence_files_lock_range_t bytes = {range->start, range->length};
    return ringfence_files_lock_acquire(told(handle), &bytes, mode(exclusive), err);
}

bool exports_test_locker_attempts_unlock(int32_t handle, bytes_t *range, uint8_t *err) {
    ringfence_files_lock_range_t bytes = {range->start, range->length};
    return ringfence_files_lock_release(told(handle), &bytes, err);
}

bool exports_test_locker_attempts_is_locked(int32_t handle, bytes_t *range, bool exclusive, bool *ret, uint8_t *err) {
    ringfence_files_lock_range_t bytes = {range->start, range->length};
    return ringfence_files_lock_is_locked(told(handle), &bytes, mode(exclusive), ret, err);
}

bool exports_test_locker_attempts_lock_many(int32_t handle, uint32_t count, uint8_t *err) {
    for (uint64_t at = 0; at < count; at++) {
        ringfence_files_lock_range_t bytes = {at * 2, 1};
        if (!ringfence_files_lock_acquire(told(handle), &bytes, RINGFENCE_FILES_LOCK_MODE_SHARED, err)) {
            return false;
        }
    }
    return true;
}

bool exports_test_locker_attempts_write(int32_t handle, locker_string_t *text, uint8_t *err) {
    locker_list_u8_t bytes = {text->ptr, text->len};
    uint64_t taken;
    bool written = wasi_filesystem_types_method_descriptor_write(told(handle), &bytes, 0, &taken, err);
    locker_string_free(text);
    return written;
}
