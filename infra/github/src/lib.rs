//! GitHub as the place where pull requests live.
