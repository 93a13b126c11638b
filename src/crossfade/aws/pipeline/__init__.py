"""How a push becomes a release, as files of GitHub Actions and GitLab CI that a team owns."""
