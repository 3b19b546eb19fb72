/* //registry:name_owners has every instance of the process say whose memory it
 * is when it refuses what is not its own:
 *
 *   alcove[a_]: free of memory that is not this instance's, at 0x7f0012345678:
 *   it belongs to alcove[b_] 0.1.0 (//server:b_heap)
 *
 * (one line). To link it is enough for the instances that are loaded at the
 * start of the program. A shared object may bring it, too; it leaves nothing
 * behind when it is unloaded. C17 and C++. */
#ifndef ALCOVE_REGISTRY_NAME_OWNERS_H_
#define ALCOVE_REGISTRY_NAME_OWNERS_H_

#ifdef __cplusplus
extern "C" {
#endif

/* Has the instances that are loaded now name owners: to be called after a
 * shared object was opened, or after one was closed that had brought a copy of
 * the registry, since an instance asks the copy that came first. Returns how
 * many ask this one, or a negated error number as in registry.h. By any thread,
 * at any time but in a signal handler: it holds the loader's lock, so that no
 * object is unloaded meanwhile. */
long alcove_registry_attach(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ALCOVE_REGISTRY_NAME_OWNERS_H_ */
