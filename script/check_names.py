"""Check that no installed distribution brings a package that is called like one of ours."""

import sys
from importlib.metadata import packages_distributions

OURS = ("virtool_gql", "schema", "resolvers", "jobs")

taken = {name: packages_distributions()[name] for name in OURS if name in packages_distributions()}
for name, distributions in taken.items():
    others = ", ".join(sorted(set(distributions) - {"virtool-gql"}))
    if others:
        sys.exit(f"The package {name} is also installed by {others}.")
print("No installed distribution brings a package of our names.")
