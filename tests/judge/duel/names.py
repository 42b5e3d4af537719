"""Zones and records."""

from .common import OWNER, tags

NOWHERE = "Z0123456789ABCDEFGHIJ"
MARK = f"heritage=clusterctl,clusterctl/uid={OWNER},clusterctl/address=api"


def play(duel):
    zones(duel)
    networks(duel)
    records(duel)


def zones(duel):
    call = duel.call
    vpc = {"VPCRegion": "eu-central-1", "VPCId": "$vpc"}
    new = {"Name": "demo.internal", "VPC": vpc, "CallerReference": "token-zone",
           "HostedZoneConfig": {"Comment": f"{MARK},clusterctl/vpc=$vpc", "PrivateZone": True}}
    bare = lambda path: lambda answer: answer[path]["Id"].split("/")[-1]
    call("route53.create_hosted_zone", "ours", new, {"zone": bare("HostedZone"), "change": bare("ChangeInfo")})
    away = lambda side, answer: side.call("route53.delete_hosted_zone", {"Id": answer["HostedZone"]["Id"]})
    call("route53.create_hosted_zone", "of the same reference", new, refusal="HostedZoneAlreadyExists", undo=away)
    call("route53.create_hosted_zone", "of the same network", {**new, "CallerReference": "t-40"},
         refusal="ConflictingDomainExists", undo=away)
    call("route53.create_hosted_zone", "of no network", {**new, "CallerReference": "t-41", "Name": "other.internal",
         "VPC": {**vpc, "VPCId": "vpc-0123456789abcdef0"}}, refusal="InvalidVPCId", undo=away)
    call("route53.create_hosted_zone", "of the user", {"Name": "example.com", "CallerReference": "token-user"},
         {"public_zone": bare("HostedZone")})
    call("route53.get_change", "until it is everywhere", {"Id": "$change"}, until=("ChangeInfo.Status", "INSYNC"))
    call("route53.get_change", "not there", {"Id": "C0123456789ABCDEFGHIJ"}, refusal="NoSuchChange")
    call("route53.change_tags_for_resource", "ours", {"ResourceType": "hostedzone", "ResourceId": "$zone",
         "AddTags": tags("aws_route53_zone.main")})
    call("route53.change_tags_for_resource", "not there", {"ResourceType": "hostedzone", "ResourceId": NOWHERE,
         "AddTags": tags("aws_route53_zone.main")}, refusal="NoSuchHostedZone")
    call("route53.list_tags_for_resources", "ours", {"ResourceType": "hostedzone", "ResourceIds": ["$zone"]})
    call("route53.list_tags_for_resources", "not there", {"ResourceType": "hostedzone", "ResourceIds": [NOWHERE]},
         refusal="NoSuchHostedZone")
    call("route53.get_hosted_zone", "ours", {"Id": "$zone"})
    call("route53.get_hosted_zone", "not there", {"Id": NOWHERE}, refusal="NoSuchHostedZone")
    call("route53.list_hosted_zones", "that are private", {"HostedZoneType": "PrivateHostedZone"})
    call("route53.list_hosted_zones", "all", {})
    call("route53.list_hosted_zones_by_name", "ours", {"DNSName": "demo.internal", "MaxItems": "100"})
    call("route53.list_hosted_zones_by_name", "of the user", {"DNSName": "example.com"})
    call("route53.delete_hosted_zone", "not there", {"Id": NOWHERE}, refusal="NoSuchHostedZone")


def networks(duel):
    call = duel.call
    call("ec2.create_vpc", "for names", {"CidrBlock": "10.41.0.0/16"}, {"vpc_2": "Vpc.VpcId"})
    other = {"HostedZoneId": "$zone", "VPC": {"VPCRegion": "eu-central-1", "VPCId": "$vpc_2"}}
    call("route53.associate_vpc_with_hosted_zone", "another", other)
    call("route53.associate_vpc_with_hosted_zone", "again", other, refusal="ConflictingDomainExists")
    call("route53.associate_vpc_with_hosted_zone", "of nothing", {**other, "HostedZoneId": NOWHERE},
         refusal="NoSuchHostedZone")
    call("route53.update_hosted_zone_comment", "ours", {"Id": "$zone", "Comment": f"{MARK},clusterctl/vpc=$vpc_2"})
    call("route53.update_hosted_zone_comment", "not there", {"Id": NOWHERE, "Comment": "x"}, refusal="NoSuchHostedZone")
    call("route53.get_hosted_zone", "of two networks", {"Id": "$zone"})
    call("route53.disassociate_vpc_from_hosted_zone", "the other", other)
    call("route53.disassociate_vpc_from_hosted_zone", "again", other, refusal="VPCAssociationNotFound")
    last = {**other, "VPC": {**other["VPC"], "VPCId": "$vpc"}}
    call("route53.disassociate_vpc_from_hosted_zone", "the last", last, refusal="LastVPCAssociation",
         undo=lambda side, _: side.call("route53.associate_vpc_with_hosted_zone", last))
    call("route53.get_hosted_zone", "of one network again", {"Id": "$zone"})
    call("ec2.delete_vpc", "for names", {"VpcId": "$vpc_2"})


def records(duel):
    call = duel.call
    value = {"Name": "api.demo.internal", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.40.0.10"}]}
    mark = {"Name": "_clusterctl-a.api.demo.internal", "Type": "TXT", "TTL": 300,
        "ResourceRecords": [{"Value": f'"{MARK}"'}]}
    changes = lambda action, *sets, zone="$zone": {"HostedZoneId": zone, "ChangeBatch": {
        "Changes": [{"Action": action, "ResourceRecordSet": one} for one in sets]}}
    change = "route53.change_resource_record_sets"
    learn = {"change": lambda answer: answer["ChangeInfo"]["Id"].split("/")[-1]}
    call(change, "created", changes("CREATE", value, mark), learn)
    call(change, "created again", changes("CREATE", value, mark), refusal="InvalidChangeBatch", says="already exists")
    call("route53.get_change", "until the record is everywhere", {"Id": "$change"},
         until=("ChangeInfo.Status", "INSYNC"))
    call(change, "outside", changes("CREATE", {**value, "Name": "api.elsewhere.net"}), refusal="InvalidChangeBatch")
    call(change, "of nothing", changes("CREATE", value, zone=NOWHERE), refusal="NoSuchHostedZone")
    changed = {**value, "ResourceRecords": [{"Value": "10.40.0.11"}, {"Value": "10.40.0.12"}]}
    call(change, "changed", changes("UPSERT", changed, mark))
    alias = {"Name": "*.apps.demo.internal", "Type": "A", "AliasTarget": {
        "DNSName": "demo.elb.eu-central-1.amazonaws.com", "HostedZoneId": "Z3F0SRJ5LGBH90", "EvaluateTargetHealth": False}}
    call(change, "an alias", changes("UPSERT", alias))
    listing = {"HostedZoneId": "$zone"}
    call("route53.list_resource_record_sets", "ours", listing)
    call("route53.list_resource_record_sets", "one", {**listing, "StartRecordName": "_clusterctl-a.api.demo.internal",
         "StartRecordType": "TXT", "MaxItems": "1"})
    call("route53.list_resource_record_sets", "of nothing", {"HostedZoneId": NOWHERE}, refusal="NoSuchHostedZone")
    call("route53.delete_hosted_zone", "that is not empty", {"Id": "$zone"}, refusal="HostedZoneNotEmpty")
    call(change, "deleted as they are not", changes("DELETE", value, mark), refusal="InvalidChangeBatch",
         says="do not match the current values")
    call(change, "deleted", changes("DELETE", changed, mark, alias))
    call(change, "deleted again", changes("DELETE", changed), refusal="InvalidChangeBatch", says="but it was not found")
    call("route53.list_resource_record_sets", "after that", listing)
    call("route53.delete_hosted_zone", "ours", {"Id": "$zone"})
    call("route53.delete_hosted_zone", "again", {"Id": "$zone"}, refusal="NoSuchHostedZone")
