//! The `trim` command.

fn main() -> std::process::ExitCode {
    trim_user::cli::main()
}
