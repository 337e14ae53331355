//! Names of interfaces, and when two of them mean the same one.

use semver::Version;
use wit_parser::PackageName;

/// The name with its version cut to what semver takes for compatible: `wasi:io/streams@0.2.6` is `wasi:io/streams@0.2`.
pub fn track(name: &str) -> String {
    let Some((interface, version)) = name.rsplit_once('@') else {
        return name.to_owned();
    };
    match Version::parse(version) {
        Ok(version) => format!(
            "{interface}@{}",
            PackageName::version_compat_track_string(&version).0
        ),
        Err(_) => name.to_owned(),
    }
}

/// Does `wanted`, which may leave its version out, mean `name`?
pub fn means(wanted: &str, name: &str) -> bool {
    if wanted.contains('@') {
        track(wanted) == track(name)
    } else {
        name.rsplit_once('@')
            .map_or(name, |(interface, _)| interface)
            == wanted
    }
}

/// For messages: the names, or that there are none.
pub fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
