//! Puts the WIT of WASI, as the locked `wasip2` crate carries it, where `src/wasi.rs` can include it.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CRATE: &str = "wasip2";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.lock");
    let (version, folder) = locate()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut table = format!(
        "pub const SOURCE: &str = {:?};\n",
        format!("{CRATE} {version}")
    );
    table.push_str("pub const FILES: &[(&str, &str)] = &[\n");
    for name in wit_files(&folder)? {
        // Copied, so that no path of this machine gets into the binary.
        fs::copy(folder.join(&name), out.join(&name))?;
        let include = format!("include_str!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))");
        table.push_str(&format!("    ({name:?}, {include}),\n"));
    }
    table.push_str("];\n");
    fs::write(out.join("wasi_files.rs"), table)?;
    Ok(())
}

/// The version of the `wasip2` package that Cargo.lock names, and its `wit/deps` folder.
fn locate() -> Result<(String, PathBuf), Box<dyn Error>> {
    let output = Command::new(env::var("CARGO")?)
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        // Without it cargo would want the packages of every other platform, too.
        .args(["--filter-platform", &env::var("HOST")?])
        .current_dir(env::var("CARGO_MANIFEST_DIR")?)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata lists no packages")?;
    let package = packages
        .iter()
        .find(|package| package["name"] == CRATE)
        .ok_or("cargo metadata does not list wasip2")?;
    let version = package["version"].as_str().ok_or("wasip2 has no version")?;
    let manifest = package["manifest_path"]
        .as_str()
        .ok_or("wasip2 has no manifest path")?;
    let folder = Path::new(manifest).with_file_name("wit").join("deps");
    Ok((version.to_owned(), folder))
}

fn wit_files(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?
            .file_name()
            .into_string()
            .map_err(|name| format!("{name:?} is not UTF-8"))?;
        if name.ends_with(".wit") {
            names.push(name);
        }
    }
    names.sort();
    if names.is_empty() {
        return Err(format!("no .wit files in {}", folder.display()).into());
    }
    Ok(names)
}
