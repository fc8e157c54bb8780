import type { Endpoint } from '../../endpoint/endpoint.ts';
import { KnownError } from '../../model/error.ts';
import { sharesOfDomains } from '../libvirt/shares.ts';
import { withVersions } from './daemon-versions.ts';
import { type Machine, machinesOf } from './machines.ts';
import { surveyHost } from './survey.ts';
import { withDomains } from './with-domains.ts';

/**
 * The machines of a host that have shares: which tag is which directory, and who serves it in which mode. By
 * command lines, and where these do not say it by libvirt.
 * @param seeing the same host as somebody who sees more of its processes; only for that.
 * @throws KnownError as `surveyHost` does.
 */
export async function machinesOn(host: Endpoint, seeing = host): Promise<readonly Machine[]> {
  const survey = await surveyHost(seeing);
  const machines = await withVersions(machinesOf(survey), host, survey.uid);
  const lacking = machines.some(
    ({ ofLibvirt, shares }) => ofLibvirt && shares.some(({ hostDir }) => hostDir === undefined),
  );
  if (!lacking) return machines;
  try {
    return withDomains(machines, await sharesOfDomains({ host, uri: undefined }));
  } catch (error) {
    // What is not known of it is said where somebody asks for it.
    if (error instanceof KnownError) return machines;
    throw error;
  }
}
