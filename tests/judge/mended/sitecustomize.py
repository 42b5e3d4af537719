"""Faults of moto 5.2 that stand between us and AWS's documented behaviour, mended when the interpreter starts.

Each names what AWS says; none makes moto accept more than AWS does."""
import sys

if any("moto" in argument for argument in sys.orig_argv):
    import moto.ec2.models.launch_templates as templates
    import moto.ec2.models.security_groups as groups
    from moto.ec2.utils import parse_user_data

    # A description is of every rule, not only of those with an IP range:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
    for name in ("SecurityGroupRule", "SecurityRule"):
        if hasattr(groups, name):
            getattr(groups, name).description = property(
                lambda rule: (rule.ip_range or {}).get("Description") or (rule.source_group or {}).get("Description")
            )

    # Machines are launched from every version of a template, with its user-data; moto parses only the first one's:
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html
    _create = templates.LaunchTemplate.create_version

    def _create_version(self, data, *rest, **named):
        if isinstance(data.get("UserData"), str):
            data["UserData"] = parse_user_data(data["UserData"])
        return _create(self, data, *rest, **named)

    templates.LaunchTemplate.create_version = _create_version

    # Tags are what they are now; moto shows those with which the template was made:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplate.html
    templates.LaunchTemplate.tags = property(lambda self: self.get_tags(), lambda self, _: None)

    import moto.ec2.models.instances as instances
    import moto.ec2.models.vpcs as vpcs

    # A device named in the launch template takes the place of the image's own disk; moto attaches it beside that and
    # forgets the image's: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html
    _add_block_device = instances.Instance.add_block_device

    def _replace_block_device(self, size, device_path, *rest, **named):
        there = self.block_device_mapping.get(device_path)
        if there:
            self.ec2_backend.detach_volume(there.volume_id, self.id, device_path)
            self.ec2_backend.delete_volume(there.volume_id)
        return _add_block_device(self, size, device_path, *rest, **named)

    instances.Instance.add_block_device = _replace_block_device

    # A VPC's default network ACL goes with it:
    # https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html
    _delete_vpc = vpcs.VPCBackend.delete_vpc

    def _delete_vpc_with_acls(self, vpc_id):
        deleted = _delete_vpc(self, vpc_id)
        for name in [name for name, acl in self.network_acls.items() if acl.vpc_id == vpc_id]:
            del self.network_acls[name]
        return deleted

    vpcs.VPCBackend.delete_vpc = _delete_vpc_with_acls

    # A deleted endpoint is shown as deleted for a while and then not at all; moto shows it for ever:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpcEndpoints.html
    _delete_endpoints = vpcs.VPCBackend.delete_vpc_endpoints

    def _delete_endpoints_for_good(self, vpce_ids=None):
        _delete_endpoints(self, vpce_ids)
        for name in vpce_ids or []:
            self.vpc_end_points.pop(name, None)

    vpcs.VPCBackend.delete_vpc_endpoints = _delete_endpoints_for_good

    import moto.iam.models as iam
    from moto.iam.exceptions import NotFoundException

    # A role that is not in the profile is NoSuchEntity; moto breaks down:
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveRoleFromInstanceProfile.html
    _remove_role = iam.IAMBackend.remove_role_from_instance_profile

    def _remove_role_that_is_there(self, profile_name, role_name):
        if all(role.name != role_name for role in self.get_instance_profile(profile_name).roles):
            raise NotFoundException(f"Role {role_name} is not in instance profile {profile_name}.")
        return _remove_role(self, profile_name, role_name)

    iam.IAMBackend.remove_role_from_instance_profile = _remove_role_that_is_there

    from urllib.parse import quote

    import moto.iam.access_control as access

    # What is signed is what is sent. Moto takes a form apart and signs it again with + for a space, which may be %20 as
    # well, and takes the headers of a request without a body for its form:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    _check_signature = access.IAMRequestBase.check_signature

    def _check_as_sent(self):
        try:
            _check_signature(self)
        except Exception:
            if self._body or not isinstance(self._data, dict):
                raise
            if self._method == "GET":
                self._data = {}
                return _check_signature(self)
            form = [(name, value) for name, values in self._data.items() for value in ([values] if isinstance(values, str) else values)]
            self._body = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in form)
            return _check_signature(self)

    access.IAMRequestBase.check_signature = _check_as_sent
