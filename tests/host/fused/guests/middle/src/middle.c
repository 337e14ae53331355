// Hands accounts out, on and back; and asks another node for the caller.

#include "middle.h"

static exports_test_bank_desk_own_account_t kept;
static bool keeps = false;

bool exports_test_bank_desk_open(middle_string_t *owner, exports_test_bank_desk_entry_t *first,
                                 exports_test_bank_desk_own_account_t *ret, exports_test_bank_desk_refusal_t *err) {
    exports_test_bank_desk_own_account_t account = test_bank_ledger_constructor_account(owner);
    middle_string_free(owner);
    if (first != NULL) {
        int64_t balance;
        bool booked = test_bank_ledger_method_account_book(test_bank_ledger_borrow_account(account), first, &balance, err);
        exports_test_bank_desk_entry_free(first);
        if (!booked) {
            test_bank_ledger_account_drop_own(account);
            return false;
        }
    }
    *ret = account;
    return true;
}

exports_test_bank_desk_own_account_t exports_test_bank_desk_pass(exports_test_bank_desk_own_account_t account) {
    return account;
}

void exports_test_bank_desk_owner_of(exports_test_bank_desk_borrow_account_t account, middle_string_t *ret) {
    test_bank_ledger_method_account_owner(account, ret);
    test_bank_ledger_account_drop_borrow(account);
}

void exports_test_bank_desk_keep(exports_test_bank_desk_own_account_t account) {
    if (keeps) {
        test_bank_ledger_account_drop_own(kept);
    }
    kept = account;
    keeps = true;
}

bool exports_test_bank_desk_give_back(exports_test_bank_desk_own_account_t *ret) {
    bool had = keeps;
    *ret = kept;
    keeps = false;
    return had;
}

uint64_t exports_test_bank_elsewhere_add(uint32_t one, uint64_t other) {
    return test_bank_tries_add(one, other);
}

void exports_test_bank_elsewhere_twice(middle_string_t *text, middle_string_t *ret) {
    test_bank_tries_twice(text, ret);
    middle_string_free(text);
}

void exports_test_bank_elsewhere_reversed(middle_list_u8_t *data, middle_list_u8_t *ret) {
    test_bank_tries_reversed(data, ret);
    middle_list_u8_free(data);
}

bool exports_test_bank_elsewhere_getenv(middle_string_t *name, middle_string_t *ret) {
    bool found = test_bank_tries_getenv(name, ret);
    middle_string_free(name);
    return found;
}

bool exports_test_bank_elsewhere_read_file(middle_string_t *path, middle_string_t *ret, middle_string_t *err) {
    bool read = test_bank_tries_read_file(path, ret, err);
    middle_string_free(path);
    return read;
}

void exports_test_bank_elsewhere_trap(void) {
    test_bank_tries_trap();
}

void exports_test_bank_elsewhere_spin(void) {
    test_bank_tries_spin();
}

uint32_t exports_test_bank_elsewhere_counter(void) {
    return test_bank_tries_counter();
}
