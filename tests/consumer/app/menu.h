// A C library on an instance.
#ifndef APP_MENU_H_
#define APP_MENU_H_

#if defined(__cplusplus)
extern "C" {
#endif

// A copy of the text in a block of the instance `lunch_`; null for want of
// memory.
char* menu_copy(const char* text);

#if defined(__cplusplus)
}
#endif

#endif  // APP_MENU_H_
