/**
 * ClaimX objects with exactly the field names of the API (reference/claimx-api.md section 3), all
 * synthetic. Every documented field has a value, so that a transformer that forgets one is seen.
 */
import type { JsonObject } from '../../src/core/index.ts'
import type { ProjectAnswer } from '../../src/domains/claimx/index.ts'

export function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
}

export function projectAnswer(projectId = 1234567): ProjectAnswer {
  return {
    project: {
      projectId,
      projectNumber: 'CLM-0042',
      mfn: 'MFN-API',
      secondaryNumber: 'POL-7',
      createdDate: '2026-01-10T22:15:51.580Z',
      status: 'OPEN',
      dateOfLoss: '2026-01-01',
      typeOfLoss: 'WATER',
      causeOfLoss: 'PIPE',
      lossDescription: 'Burst pipe',
      yearBuilt: 1987,
      squareFootage: '2100',
      dateReceived: '2026-01-02T08:00:00Z',
      dateContacted: '2026-01-03T08:00:00Z',
      plannedInspectionDate: '2026-01-04T08:00:00Z',
      dateInspected: '2026-01-05T08:00:00Z',
      appointmentDate: '2026-01-06T08:00:00Z',
      customAttribute1: 'a1',
      customAttribute2: 'a2',
      customAttribute3: 'a3',
      customExternalUniqueId: 'ext-1',
      customerInformation: {
        firstName: 'Ada',
        lastName: 'Example',
        customBusinessName: 'Example Ltd',
        businessLineType: 'RESIDENTIAL',
        emails: [
          { emailAddress: 'second@example.com', primary: false },
          { emailAddress: 'Ada@Example.com', primary: true }
        ],
        phones: [{ phoneNumber: '555-0100', phoneCountryCode: 1 }]
      },
      address: {
        street1: '1 Main St',
        street2: 'Apt 2',
        city: 'Springfield',
        stateProvince: 'OR',
        zipPostcode: '00501',
        county: 'Lane',
        country: 'US'
      }
    },
    teamMembers: [{ userName: 'rep@example.com', primaryContact: true, mfn: 'MFN-T' }],
    companyName: 'Carrier Inc'
  }
}

export const LINK =
  'https://www.claimxperience.com/service/cxfileservice/get/7f3e?filename=roof.jpg&systemDate=1767225600000&expires=3600000&sign=SECRET'

export function mediaItem(mediaID = 87654321): JsonObject {
  return {
    mediaID,
    taskAssignmentId: 7654321,
    mediaType: 'jpg',
    mediaName: 'roof.jpg',
    mediaDescription: 'Roof',
    mediaComment: 'north side',
    latitude: '44.05',
    longitude: -123.09,
    gpsSource: 'EXIF',
    takenDate: '2026-01-09 10:00',
    fullDownloadLink: LINK,
    expiresAt: '2026-01-01T01:00:00Z'
  }
}

export function taskAnswer(assignmentId = 7654321, projectId = 1234567): JsonObject {
  return {
    assignmentId,
    taskId: 4321,
    taskName: 'Photos',
    formId: '64b7f0c2a1d2e3f4a5b6c7d8',
    projectId,
    assigneeId: 11,
    assignorId: 12,
    assignor: 'boss@example.com',
    dateAssigned: '2026-01-10T22:15:51.580+00:00',
    dateCompleted: '2026-01-11T22:15:51Z',
    cancelledDate: '2026-01-12T00:00:00Z',
    cancelledByResourceId: 13,
    status: 'COMPLETED',
    pdfProjectMediaId: 14,
    dateExported: '2026-01-13T00:00:00Z',
    formResponseId: '64b7f0c2a1d2e3f4a5b6c7d9',
    stpEnabled: true,
    stpStartedDate: '2026-01-14T00:00:00Z',
    mfn: 'MFN-K',
    xactimateExportable: false,
    fraudLanguageAcceptedDate: '2026-01-15T00:00:00Z',
    resubmitTaskAssignmentId: 15,
    url: 'https://www.claimxperience.com/task/1',
    customTask: {
      taskId: 4321,
      compId: 21,
      name: 'Photos',
      description: 'Take photos',
      formId: '64b7f0c2a1d2e3f4a5b6c7d8',
      formName: 'Photo form',
      enabled: true,
      default: false,
      isManualDelivery: false,
      isExternalLinkDelivery: true,
      providePortalAccess: true,
      notifyAssignedSendRecipient: true,
      notifyAssignedSendRecipientSms: false,
      notifyAssignedSubject: 'Please',
      notifyTaskCompleted: true,
      notifyCompletedSubject: 'Thanks',
      allowReSubmit: true,
      autoGeneratePdf: false,
      modifiedBy: 'admin@example.com',
      modifiedById: 22,
      modifiedDate: '2025-12-01T00:00:00Z'
    },
    externalLinkData: {
      linkId: 31,
      linkCode: 'abc',
      url: 'https://www.claimxperience.com/x/abc',
      notificationAccessMethod: 'EMAIL',
      countryId: 32,
      stateId: 33,
      email: 'ADA@example.com',
      firstName: 'Ada',
      lastName: 'Example',
      phone: '555-0100',
      phoneCountryCode: 1
    },
    response: { groups: [] }
  }
}

export function videoItem(videoCollaborationId = 5001, claimId = 1234567): JsonObject {
  return {
    videoCollaborationId,
    claimId,
    mfn: 'MFN-V',
    claimNumber: 'CLM-0042',
    policyNumber: 'POL-7',
    emailUserName: 'rep@example.com',
    claimRepFirstName: 'Rita',
    claimRepLastName: 'Rep',
    claimRepFullName: 'Rita Q. Rep',
    numberOfVideos: 1,
    numberOfPhotos: 2,
    numberOfViewers: 3,
    sessionCount: 4,
    totalTimeSeconds: '61.50',
    totalTime: '00:01:01',
    createdDate: '2026-01-16T00:00:00Z',
    liveCallFirstSession: '2026-01-16T01:00:00Z',
    liveCallLastSession: '2026-01-16T02:00:00Z',
    companyId: 41,
    companyName: 'Carrier Inc',
    guid: 'd9b2'
  }
}

/** A raw event in the logical schema. */
export function rawEvent(fields: JsonObject = {}): JsonObject {
  return {
    event_id: 'evt_0123456789ab',
    event_type: 'PROJECT_FILE_ADDED',
    project_id: 1234567,
    ingested_at: '2026-01-10T22:15:51.580+00:00',
    media_id: 87654321,
    ...fields
  }
}
