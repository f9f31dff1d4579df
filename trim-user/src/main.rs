//! The `trim` command.

/// Tells what it holds, gives memory back when asked, and can say who allocated it.
#[global_allocator]
static ALLOCATOR: trim_user::kernel::heap::Allocator = trim_user::kernel::heap::ALLOCATOR;

fn main() -> std::process::ExitCode {
    trim_user::cli::main()
}
