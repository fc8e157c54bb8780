/* With whose rights the host is asked: the guest's user's, or ours with or without CAP_FSETID. */
#ifndef BACKEND_CREDENTIALS_H
#define BACKEND_CREDENTIALS_H

#include "request.h"

/* While it lasts, what is made belongs to the guest's user, who may make it in a directory of a group of theirs. */
void become_user(const struct request *request);
void become_ourselves(const struct request *request);

/* Linux clears the set-user-ID and set-group-ID bits of a file that is changed by a thread without CAP_FSETID. Gives
 * it up for the next call where the guest asked for that (FUSE_HANDLE_KILLPRIV_V2), or a fault wants it. Whether it
 * did: for fsetid_take_back, which leaves errno as it is. */
bool fsetid_give_up(const struct request *request, bool asked);
void fsetid_take_back(bool gave_up);

#endif
