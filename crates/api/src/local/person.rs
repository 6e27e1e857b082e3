//! Who calls: on the Unix socket, the user of this process, because no other is let in.

use skep_model::actor::Actor;

const USERS_FILE: &str = "/etc/passwd";

/// The user that this process runs as, by the name in the system's user list, or `uid:NUMBER` without one. Variables
/// such as USER are not asked: anybody can set them.
pub fn person() -> Actor {
    Actor::Person { name: name_of(rustix::process::getuid().as_raw()) }
}

/// The name of a user.
pub(super) fn name_of(uid: u32) -> String {
    let users = std::fs::read_to_string(USERS_FILE).unwrap_or_default();
    name_in(&users, uid).unwrap_or_else(|| format!("uid:{uid}"))
}

/// The name of `uid` in a list with lines `name:password:uid:..`.
pub(super) fn name_in(users: &str, uid: u32) -> Option<String> {
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut matching = fields.filter(|fields| fields.get(2).and_then(|text| text.parse().ok()) == Some(uid));
    matching.next().and_then(|fields| fields.first().map(ToString::to_string)).filter(|name| !name.is_empty())
}
