"""The registry: `persons`, `pull`, `push`."""

import argparse

from geneface.commands.register import Register, say
from geneface.utils.stopping import keeping


def persons(args: argparse.Namespace) -> None:
    """Name and place of each person on this machine, or of those on the Hub."""
    from geneface.hub.persons import PERSONS_DIR, cached_persons, list_persons, search_persons

    if args.search is None:
        rows = [(name, str(PERSONS_DIR / name)) for name in list_persons()]
        rows += [(name, str(folder)) for name, folder in cached_persons().items()]
    else:
        found = search_persons(args.search, token=args.token)
        rows = [(person.repo_id, f"{person.downloads} downloads{', private' * person.private}") for person in found]
        if not found:
            print(f"no person on the Hub matches {args.search!r}")
    width = max((len(name) for name, _ in rows), default=0)
    for name, place in rows:
        print(f"{name:<{width}}  {place}")


def pull(args: argparse.Namespace) -> None:
    """Fetch a person from the Hub, for use without a network; prints its folder."""
    from geneface.hub.persons import resolve_bundle

    with keeping("what was fetched is kept: the same command goes on with it"):
        folder = resolve_bundle(args.person, revision=args.revision, token=args.token)
    say(folder)


def push(args: argparse.Namespace) -> None:
    """Publish a person on the Hub, privately unless asked otherwise; prints the commit's address."""
    from geneface.hub.persons import find_person, resolve_bundle
    from geneface.hub.publish import push_to_hub

    with keeping("an empty, private repository may be there already: the same command goes on with it"):
        url = push_to_hub(
            resolve_bundle(find_person(args.bundle), token=args.token),
            args.repo_id,
            consent=args.consent,
            private=not args.public,
            token=args.token,
            link_generic=args.link_generic,
        )
    say(url)


def register(command: Register) -> None:
    def add_token(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--token", metavar="T", help="access token of the Hub (default: that of hf auth login)")

    sub = command("persons", persons)
    sub.add_argument("--search", metavar="Q", help="search the Hub for persons whose name has Q in it")
    add_token(sub)

    sub = command("pull", pull)
    sub.add_argument("person", metavar="P", help="Hub id of a person, like user/person")
    sub.add_argument("--revision", metavar="R", help="commit, branch or tag (default: the newest)")
    add_token(sub)

    sub = command("push", push)
    sub.add_argument("bundle", metavar="BUNDLE", help="name or folder of a person")
    sub.add_argument("repo_id", metavar="REPO_ID", help="where to publish it, like user/person")
    sub.add_argument("--consent", required=True, metavar="TEXT", help="what the person shown agreed to; in the card")
    sub.add_argument("--public", action="store_true", help="for everybody (default: private)")
    sub.add_argument("--link-generic", metavar="REPO", help="name shared components in REPO instead of carrying them")
    add_token(sub)
