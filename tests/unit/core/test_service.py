"""What a service is called among all that are deployed."""

from crossfade.core.service import Service


def test_a_service_of_this_machine_is_called_as_it_always_was() -> None:
    """Keys in journals of earlier versions have no environment."""
    assert Service(app="shop", name="web").key == "shop/web"


def test_a_service_elsewhere_has_its_environment_in_its_name() -> None:
    """So dev and prod of one app are two, and each is one app to whoever asks for all of it."""
    there = Service(app="shop", name="web", environment="prod")
    assert (there.key, there.home) == ("shop@prod/web", "shop@prod")
