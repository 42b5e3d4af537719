"""What the scenarios share: tags as our code writes them, filters as it reads by them."""

UID, ADDRESS, CLUSTER = "clusterctl.dev/uid", "clusterctl.dev/address", "clusterctl.dev/cluster"
OWNER = "00112233445566778899aabb"
# Well formed, and nobody's.
NOBODY = "0123456789abcdef0"


def tags(address):
    name = address.split(".")[-1]
    return [
        {"Key": UID, "Value": OWNER}, {"Key": ADDRESS, "Value": address},
        {"Key": CLUSTER, "Value": "demo"}, {"Key": "Name", "Value": f"demo-{name}"},
    ]


def tagged(kind, address):
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags(address)}]}


def where(name, *values):
    return {"Name": name, "Values": list(values)}


def ours(address=None):
    """The filters by which everything of an owner is read, or one thing of it."""
    return [where(f"tag:{UID}", OWNER)] + ([where(f"tag:{ADDRESS}", address)] if address else [])


def by_tag(address=None):
    return {"Filters": ours(address)}
