"""The caches of a pipeline: whose downloads runners keep from one run to the next.

GitHub's actions fail over a tool of which the repository has no file, such as Maven's where Gradle builds.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCache:
    """`tool` as GitHub's actions call it; on GitLab the variable that leads it to a `folder` of the project."""

    tool: str
    variable: str
    folder: str

    @property
    def told(self) -> str:
        """The variable's value: Maven has none for the folder alone."""
        path = f"$CI_PROJECT_DIR/{self.folder}"
        return f"-Dmaven.repo.local={path}" if self.tool == "maven" else path


_NPM = ToolCache(tool="npm", variable="npm_config_cache", folder=".npm")
_MAVEN = ToolCache(tool="maven", variable="MAVEN_OPTS", folder=".m2")
_GRADLE = ToolCache(tool="gradle", variable="GRADLE_USER_HOME", folder=".gradle")
# By language and the word that a command begins it with.
_CACHES = {
    "node": {"npm": _NPM, "yarn": ToolCache(tool="yarn", variable="YARN_CACHE_FOLDER", folder=".yarn-cache")},
    "python": {"pip": ToolCache(tool="pip", variable="PIP_CACHE_DIR", folder=".pip")},
    "java": {"mvn": _MAVEN, "mvnw": _MAVEN, "gradle": _GRADLE, "gradlew": _GRADLE},
}


def cache(language: str, command: str) -> ToolCache | None:
    """None where the command calls no tool of the language that runners know to keep anything of."""
    called = re.findall(r"[a-z]+", command)
    return next((found for word, found in _CACHES[language].items() if word in called), None)
