/** Words from which people, places and losses are made. Invented combinations; no real persons. */

export const firstNames = [
  'Ana',
  'Benjamin',
  'Carol',
  'Darnell',
  'Elena',
  'Frank',
  'Grace',
  'Hiroshi',
  'Imani',
  'José',
  'Katherine',
  'Luis',
  'Mei',
  'Nadia',
  'Oscar',
  'Priya',
  'Quentin',
  'Rosa',
  'Søren',
  'Tamika',
  'Umar',
  'Valentina',
  'Walter',
  'Ximena',
  'Yusuf',
  'Zoë',
  'Dorothy',
  'Marcus',
  'Niamh',
  'Thi'
] as const

export const lastNames = [
  'Alvarez',
  'Baker',
  'Chen',
  'Delgado',
  'Edwards',
  'Fitzgerald',
  'García',
  'Huang',
  'Ibrahim',
  'Johnson',
  'Kowalski',
  'Lindqvist',
  'McAllister',
  'Nguyễn',
  "O'Brien",
  'Patel',
  'Quispe',
  'Robinson',
  'Sánchez',
  'Thompson',
  'Underwood',
  'Vandenberg',
  'Washington',
  'Xu',
  'Young',
  'Zimmerman',
  'De la Cruz',
  'Smith-Jones',
  'Müller',
  'Okafor'
] as const

export const streets = [
  'Maple Ave',
  'Oak St',
  'County Road 12',
  'Magnolia Ln',
  'W 5th St',
  'Bayview Dr',
  'Pecan Ct',
  'Old Mill Rd',
  'Peachtree St NE',
  'Camino del Sol',
  'Lakeshore Blvd',
  'N Elm St',
  'Sycamore Way'
] as const

/** City, state, county, prefix of the zip code. */
export const places = [
  ['Houston', 'TX', 'Harris', '770'],
  ['Tampa', 'FL', 'Hillsborough', '336'],
  ['New Orleans', 'LA', 'Orleans', '701'],
  ['Boston', 'MA', 'Suffolk', '021'],
  ['Denver', 'CO', 'Denver', '802'],
  ['Moore', 'OK', 'Cleveland', '731'],
  ['Santa Rosa', 'CA', 'Sonoma', '954'],
  ['Cañon City', 'CO', 'Fremont', '812'],
  ['Newark', 'NJ', 'Essex', '071'],
  ['St. Paul', 'MN', 'Ramsey', '551'],
  ['Raleigh', 'NC', 'Wake', '276'],
  ['Savannah', 'GA', 'Chatham', '314']
] as const

/** Name, prefix of claim numbers, mail domain. */
export const carriers = [
  ['Granite Mutual Insurance', 'GM', 'granitemutual.example'],
  ['Blue Heron Property & Casualty', 'BHP', 'blueheron.example'],
  ['Prairie States Insurance Co.', 'PSI', 'prairiestates.example'],
  ['Lighthouse Home', 'LHH', 'lighthousehome.example'],
  ['Cedar Ridge Indemnity', '01-CR', 'cedarridge.example'],
  ['Harbor & Vale', 'HV', 'harborvale.example']
] as const

/** Type of loss, cause of loss, description. */
export const losses = [
  ['Water', 'Pipe burst', 'Supply line to the upstairs bathroom burst; ceiling and floor damaged.'],
  ['Wind', 'Hurricane', 'Shingles torn off on the south slope, water came through the attic.'],
  ['Hail', 'Hail storm', 'Hail up to 2" – roof, gutters and both vehicles dented.'],
  ['Fire', 'Kitchen fire', 'Grease fire, smoke in all rooms.\nContents list to follow.'],
  ['Theft', 'Burglary', 'Garage broken into; tools and bicycles missing.'],
  ['Tree', 'Fallen tree', 'Neighbour’s oak fell on the fence and the porch.'],
  ['Flood', 'Flash flood', 'About 14 in of water on the ground floor.'],
  ['Lightning', 'Lightning strike', 'Surge destroyed the HVAC unit and electronics.']
] as const

export const taskNames = [
  'Policyholder self-service inspection',
  'Roof photos',
  'Contents inventory',
  'Proof of loss',
  'Water mitigation checklist',
  'Kitchen walk-through',
  'Sign authorization',
  'Vehicle damage photos'
] as const

export const rooms = [
  'Kitchen',
  'Living room',
  'Master bedroom',
  'Attic',
  'Garage',
  'Front elevation',
  'Roof NW slope',
  'Basement',
  'Bath 2'
] as const
