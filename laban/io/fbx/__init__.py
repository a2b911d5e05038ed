"""FBX: `write` a skinned, animated body without any SDK, `document.read` whatever ufbx reads, as a glTF document."""
